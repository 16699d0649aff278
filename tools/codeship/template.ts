import { Failure } from '../../src/core/failure.ts'

/** The fields of Codeship's templates, and the variables that hold the same (documentation, "Build arguments"). */
const FIELDS: Readonly<Record<string, string>> = {
  ProjectID: 'CI_PROJECT_ID',
  BuildID: 'CI_BUILD_ID',
  RepoName: 'CI_REPO_NAME',
  Branch: 'CI_BRANCH',
  CommitID: 'CI_COMMIT_ID',
  CommitMessage: 'CI_COMMIT_MESSAGE',
  CommitDescription: 'CI_COMMIT_DESCRIPTION',
  CommitterName: 'CI_COMMITTER_NAME',
  CommitterEmail: 'CI_COMMITTER_EMAIL',
  CommitterUsername: 'CI_COMMITTER_USERNAME',
  Timestamp: 'CI_TIMESTAMP',
  StringTime: 'CI_STRING_TIME',
  CiName: 'CI_NAME',
}

/**
 * Fills in templates such as `{{ .Branch }}` in a build argument.
 * @throws Failure of kind `usage` for a field that Codeship does not have
 */
export function fillTemplate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{\{\s*\.(\w+)\s*\}\}/g, (_, field: string) => {
    const variable = FIELDS[field]
    if (variable === undefined)
      throw new Failure(
        'usage',
        `.${field} is not a template field; expected one of ${Object.keys(FIELDS).join(', ')}`,
      )
    return variables[variable] ?? ''
  })
}
