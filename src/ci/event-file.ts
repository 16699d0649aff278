import { parseJson } from '../core/json.ts'
import type { FieldSources, ReadFile, Source } from './fields.ts'

/** The variables with the path of such a file. */
export const EVENT_FILE_VARIABLES = ['GITHUB_EVENT_PATH', 'CLOUDBEES_EVENT_PATH'] as const

/** The text or number at a path of names in a JSON document, or undefined. */
export type Lookup = (...path: readonly string[]) => string | undefined

/**
 * Opens the JSON file in which a CI describes what started the build. A file that cannot be read counts as empty: no event
 * is lost because of it.
 * @param path the value of the CI's variable
 */
export function openEventFile(path: string | undefined, readFile: ReadFile): Lookup {
  const document = readDocument(path, readFile)
  return (...names) => {
    const value = names.reduce<unknown>(member, document)
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
  }
}

function readDocument(path: string | undefined, readFile: ReadFile): unknown {
  if (path === undefined || path.trim() === '') return undefined
  try {
    return parseJson(readFile(path))
  } catch {
    return undefined
  }
}

function member(parent: unknown, name: string): unknown {
  return typeof parent === 'object' && parent !== null && Object.hasOwn(parent, name)
    ? (parent as Record<string, unknown>)[name]
    : undefined
}

/** Members of a webhook's body that are commits. */
const COMMITS = [['head_commit'], ['workflow_run', 'head_commit'], ['merge_group', 'head_commit']] as const

/**
 * What the body of a GitHub webhook adds to the variables.
 * @param commit the commit that is built; other commits in the body are ignored
 * @param origin where the body was found, for `--dry-run` to explain
 *
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */
export function githubEventSources(event: Lookup, commit: string | undefined, origin: string): FieldSources {
  const from = (...path: readonly string[]): Source => ({
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
