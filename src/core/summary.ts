import type { DeploymentOutcome } from './deployment-state.ts'
import type { Build } from './build.ts'
import { cutChars } from './truncate.ts'
import { formatDuration } from './duration.ts'
import { LIMITS } from './event.ts'
import { Failure } from './failure.ts'
import { describeStreak, isPaging, type Streak } from './failure-streak.ts'
import { oneLine } from './mask-secrets.ts'

/** What a wrapped command did; unknown if no command was wrapped. */
export interface CommandResult {
  /** Exit status 0–255; absent when a signal ended the command. */
  readonly exitCode?: number
  /** Such as `SIGKILL`, if a signal ended it. */
  readonly signal?: string
  /** When it began, ISO 8601 with `Z`. */
  readonly startedAt?: string
  readonly durationSeconds?: number
  /** The last lines of what it printed, already masked. */
  readonly output?: string
  /** The command line, already masked; only if the user asked for it. */
  readonly command?: string
}

/** The facts that a summary is made of. */
export interface SummaryFacts {
  readonly build: Build
  readonly environment?: string | undefined
  readonly outcome?: DeploymentOutcome | undefined
  readonly result: CommandResult
  readonly isRollback?: boolean | undefined
  /** If failures are counted. */
  readonly streak?: Streak | undefined
}

/** What each `{{name}}` of a `--summary` template stands for; what is unknown renders as nothing. */
const VARIABLES = {
  repository: ({ build }) => build.repository,
  branch: ({ build }) => build.branch,
  commit: ({ build }) => build.commit,
  shortCommit: ({ build }) => shortCommit(build.commit),
  message: ({ build }) => firstLine(build.commitMessage),
  committer: ({ build }) => build.committer,
  environment: ({ environment }) => environment,
  buildId: ({ build }) => build.buildId,
  outcome: ({ outcome }) => outcome,
  exitCode: ({ result }) => result.exitCode?.toString(),
  duration: ({ result: { durationSeconds } }) =>
    durationSeconds === undefined ? undefined : formatDuration(durationSeconds),
} as const satisfies Record<string, (facts: SummaryFacts) => string | undefined>

type VariableName = keyof typeof VARIABLES

/** Names that a template may use, for the help and the documentation. */
export const TEMPLATE_NAMES = Object.keys(VARIABLES) as readonly VariableName[]

/** Spaces around the name belong to it here and are trimmed later: matched apart, they would cost quadratic time. */
const REFERENCE = /\{\{([^{}]*)\}\}/g
/** Longest summary that is rendered, in UTF-16 units; an event takes no more. Short references can mean long texts. */
const MAX_RENDERED_CHARS = LIMITS.bodyBytes
/** How much of an unknown reference a message repeats, in UTF-16 units. */
const MAX_SHOWN_CHARS = 64

/**
 * Checks a template without rendering it.
 * @throws Failure of kind `usage` that lists the known names
 */
export function checkTemplate(template: string): string {
  for (const [reference, name = ''] of template.matchAll(REFERENCE)) {
    if (!Object.hasOwn(VARIABLES, name.trim())) {
      const shown = cutChars(oneLine(reference), MAX_SHOWN_CHARS)
      throw new Failure(
        'usage',
        `has the unknown name ${shown}; expected one of ${TEMPLATE_NAMES.join(', ')}`,
      )
    }
  }
  return template
}

/** Renders a checked template; the result may be empty. */
export function renderTemplate(template: string, facts: SummaryFacts): string {
  const values = new Map<VariableName, string>()
  let rendered = ''
  let end = 0
  for (const { 0: reference, 1: inner = '', index } of template.matchAll(REFERENCE)) {
    const name = inner.trim() as VariableName
    const value = values.get(name) ?? VARIABLES[name](facts) ?? ''
    values.set(name, value)
    rendered += template.slice(end, index) + value
    end = index + reference.length
    if (rendered.length > MAX_RENDERED_CHARS) return cutChars(rendered, MAX_RENDERED_CHARS).trim()
  }
  return (rendered + template.slice(end)).trim()
}

/** The summary of an event for which the user gave none. Unknown parts are left out. */
export function defaultSummary(facts: SummaryFacts): string {
  const { build, outcome, result } = facts
  if (outcome === 'success') return successSummary(facts)
  const end =
    outcome === 'cancelled'
      ? 'was cancelled'
      : `failed${howItEnded(result)}${prefixed(', ', whyNotPaged(facts))}`
  const why = [build.committer, firstLine(build.commitMessage)].filter(Boolean).join(': ')
  return oneLine(`${deploymentSubject(facts)} ${end}${why === '' ? '' : ` (${why})`}`)
}

function successSummary({ build, environment, isRollback = false }: SummaryFacts): string {
  const what = whatOf(build)
  const where = prefixed(isRollback ? ' in ' : ' to ', environment)
  if (what + where === '') return `${isRollback ? 'Rollback' : 'Deployment'} succeeded`
  const verb = isRollback ? 'Rolled back' : 'Deployed'
  const byWhom = prefixed(' by ', build.committer)
  return oneLine(
    `${verb}${prefixed(' ', what)}${where}${byWhom}${prefixed(': ', firstLine(build.commitMessage))}`,
  )
}

/** Why a failure pages nobody yet; undefined if somebody is paged, or nothing is counted. */
export function whyNotPaged({ streak }: Pick<SummaryFacts, 'streak'>): string | undefined {
  return streak === undefined || isPaging(streak) ? undefined : describeStreak(streak)
}

/** What was deployed, and where to: `Deployment of acme/shop@5f0c1d2 to production`. */
export function deploymentSubject({
  build,
  environment,
  isRollback = false,
}: Pick<SummaryFacts, 'build' | 'environment' | 'isRollback'>): string {
  const noun = isRollback ? 'Rollback' : 'Deployment'
  return oneLine(`${noun}${prefixed(' of ', whatOf(build))}${prefixed(' to ', environment)}`)
}

function whatOf({ repository, commit }: Build): string {
  return [repository, shortCommit(commit)].filter(Boolean).join('@')
}

/** The summary of a rollback: `Deployment of acme/shop@5f0c1d2 to production rolled back: PXXXX (Checkout is down)`. */
export function rollbackSummary(facts: SummaryFacts, incidents: string): string {
  const { result } = facts
  const isRollback = hasFailed(result)
  const end = isRollback ? `failed${howItEnded(result)}` : 'rolled back'
  return oneLine(`${deploymentSubject({ ...facts, isRollback })} ${end}: ${incidents}`)
}

/** Whether a wrapped command failed; false if none was wrapped, or it succeeded. */
export function hasFailed({ exitCode, signal }: CommandResult): boolean {
  return exitCode !== undefined || signal !== undefined
}

/** The first seven characters of a hexadecimal commit id, as Git shows it; other ids whole. */
export function shortCommit(commit: string | undefined): string | undefined {
  return commit !== undefined && /^[0-9a-f]{8,64}$/i.test(commit) ? commit.slice(0, 7) : commit
}

/** The first line of a text that is not blank. */
function firstLine(text: string | undefined): string | undefined {
  return text?.split('\n').map(oneLine).find(Boolean)
}

function howItEnded({ exitCode, signal }: CommandResult): string {
  if (signal !== undefined) return ` on ${signal}`
  return exitCode === undefined ? '' : ` with exit status ${exitCode}`
}

function prefixed(prefix: string, text: string | undefined): string {
  return text === undefined || text === '' ? '' : prefix + text
}
