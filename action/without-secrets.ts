import { readFileSync } from 'node:fs'

type Environment = Readonly<Record<string, string | undefined>>

/** Variables that say where an event can go; any of them is enough. */
const WAYS = [
  'PAGERDUTY_TOKEN',
  'PAGERDUTY_ROUTING_KEY',
  'PAGERDUTY_API_TOKEN',
  'PAGERDUTY_RELAY_URL',
] as const

/** Events of pull requests that run without secrets if these come from a fork; `pull_request_target` has them. */
const WITHOUT_SECRETS: ReadonlySet<string> = new Set([
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
])

/**
 * Why the job has no token, if GitHub gives it none: pull requests from forks, and Dependabot's, do not get the secrets
 * of the repository (docs.github.com, "Using secrets in GitHub Actions" and "Dependabot on GitHub Actions").
 * @param env the environment for the program
 * @returns undefined if there is a token or a relay, or if a token is missing for another reason
 */
export function whyWithoutSecrets(env: Environment): string | undefined {
  const isSet = (name: string): boolean => (env[name]?.trim() ?? '') !== ''
  if (WAYS.some((name) => isSet(name) || isSet(`${name}_FILE`))) return undefined
  if (env['GITHUB_ACTOR'] === 'dependabot[bot]') return 'a run that Dependabot started does not get them'
  const isConcerned = WITHOUT_SECRETS.has(env['GITHUB_EVENT_NAME'] ?? '')
  return isConcerned && isFromFork(env) ? 'a pull request from a fork does not get them' : undefined
}

/** The part of a webhook's body that says where a pull request comes from; `repo` is null when that is deleted. */
interface PullRequestEvent {
  readonly pull_request?: { readonly head?: { readonly repo?: { readonly full_name?: string } | null } }
}

function isFromFork(env: Environment): boolean {
  try {
    const event = JSON.parse(readFileSync(env['GITHUB_EVENT_PATH'] ?? '', 'utf8')) as PullRequestEvent
    const head = event.pull_request?.head
    return head !== undefined && head.repo?.full_name !== env['GITHUB_REPOSITORY']
  } catch {
    return false
  }
}
