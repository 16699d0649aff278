import type { Lookup } from './event-file.ts'
import type { FieldSources, Made } from './read-fields.ts'

/** Members of a webhook's body that describe a commit. */
const COMMITS = [['head_commit'], ['workflow_run', 'head_commit'], ['merge_group', 'head_commit']] as const

/**
 * What the body of a GitHub webhook adds to what the variables say.
 * @param commit the commit that is built; what the body says of another one is left out
 * @param origin where the body was found, for `--dry-run` to explain
 *
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */
export function githubEventSources(event: Lookup, commit: string | undefined, origin: string): FieldSources {
  const from = (...path: readonly string[]): Made => ({
    value: event(...path),
    origin: `${path.join('.')} in ${origin}`,
  })
  const path = COMMITS.find((names) => commit !== undefined && event(...names, 'id') === commit.trim())
  const message = path ? [from(...path, 'message')] : []
  const author = path ? [from(...path, 'author', 'name'), from(...path, 'author', 'username')] : []
  return {
    commitMessage: message,
    committer: author,
    base: [from('before')],
    pullRequest: [from('pull_request', 'number')],
    pullRequestUrl: [from('pull_request', 'html_url')],
    environment: [from('deployment', 'environment')],
  }
}
