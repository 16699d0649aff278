/**
 * A text that consists of nothing but a reference to a variable: `$NAME`, `${NAME}`, `${{ name }}`, `$(NAME)`, `$env:NAME` or
 * `%NAME%`. CIs leave it in place if the variable does not exist (Azure Pipelines, GitLab), Codeship and Docker always do.
 */
const REFERENCE = /^(?:\$(?:env:)?[A-Z_]\w*|\$\{\{?[^}]*\}\}?|\$\([\w.]*\)|%[\w.]+%)$/i

/** Whether a value is a reference that nothing has replaced. */
export function isUnreplaced(text: string): boolean {
  return REFERENCE.test(text)
}
