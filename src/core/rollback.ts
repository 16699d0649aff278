import type { Build } from './build.ts'

/** The subject that `git revert` writes; that of reverting a revert, which brings the change back, begins otherwise. */
const REVERT = /^Revert "(?!Revert ")/

/**
 * Whether a deployment is a rollback, and what says so: the pipeline, else a commit that `git revert` (or the button of
 * that name on GitHub and GitLab) made. What cannot be told from the commit, such as an older one deployed again, the
 * pipeline has to say.
 * @param said what `PAGERDUTY_ROLLBACK` says
 */
export function rollbackReason({ commitMessage }: Build, said: boolean | undefined): string | undefined {
  if (said !== undefined) return said ? 'PAGERDUTY_ROLLBACK says so' : undefined
  return REVERT.test(commitMessage?.trimStart() ?? '') ? 'its commit is a revert' : undefined
}
