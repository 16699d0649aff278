import { DEPLOYMENT_STATES, type DeploymentState } from './deployment-state.ts'
import { cutChars } from './truncate.ts'
import { dedupKeyFor, limitDedupKey } from './identity.ts'
import type { Event, Link } from './event.ts'
import { isObject, type JsonObject } from './json.ts'
import { present } from './present.ts'

/**
 * One deployment, as a relay remembers it once it was reported: at most about 1 kB. What is unknown is absent.
 */
export interface Deployment {
  /** The same for later deployments of the same thing: `deploy/<repository>/<environment>`, plus `/<step>`. */
  readonly identity: string
  readonly state: DeploymentState
  readonly repository?: string
  readonly environment?: string
  readonly step?: string
  readonly branch?: string
  /** The whole commit id. */
  readonly commit?: string
  /** First line of the commit's message, at most 200 characters. */
  readonly message?: string
  readonly committer?: string
  readonly ci?: string
  readonly buildId?: string
  readonly buildUrl?: string
  readonly commitUrl?: string
  /** The changes since the deployment or tag before it. */
  readonly compareUrl?: string
  readonly rollback?: true
  /** No outcome came in time, so the failure is assumed; an outcome that comes later replaces it. */
  readonly isOverdue?: true
  /** Milliseconds since 1970. Absent if neither a start nor a duration is known. */
  readonly startedAtMs?: number
  /** Milliseconds since 1970. Absent while it runs. */
  readonly endedAtMs?: number
}

const MAX_MESSAGE_CHARS = 200
/** Of any other text: an address, a branch. Longer ones are of no use on a page. */
const MAX_TEXT_CHARS = 300

/**
 * The deployment that an event reports, if this program made the event, in whichever form it was sent. Undefined for
 * everything else, such as an alert of Alertmanager's or a resolve.
 * @param nowMs the time of an event that has none
 */
export function deploymentOf({ kind, body }: Event, nowMs: number): Deployment | undefined {
  const { payload, links = [] } = body
  const details = payload?.custom_details
  if (payload === undefined || details === undefined || !isObject(details)) return undefined
  const state = stateOf(details['outcome'])
  if (state === undefined) return undefined
  const text = (name: string): string | undefined => textOf(details, name)
  const [repository, environment, step] = ['repository', 'environment', 'step'].map(text)
  const key = kind === 'alert' ? body.dedup_key : text('dedup_key')
  const identity = repository === undefined ? key : dedupKeyFor({ repository, environment, step })
  if (identity === undefined) return undefined
  const reportedAtMs = timeOf(payload.timestamp) ?? Math.round(nowMs)
  return {
    identity,
    state,
    ...present({
      repository,
      environment,
      step,
      branch: text('branch'),
      commit: text('commit'),
      message: firstLine(text('commit_message')),
      committer: text('committer'),
      ci: text('ci'),
      buildId: text('build_id'),
      ...linksOf(links),
      rollback: details['rollback'] === true ? true : undefined,
      isOverdue: details['overdue'] === true ? true : undefined,
      startedAtMs: startOf(details, state, reportedAtMs),
      endedAtMs: state === 'started' ? undefined : reportedAtMs,
    }),
  }
}

/**
 * The dedup key of the failure alert of the deployment that an event reports, whether or not the event is that alert:
 * a change event names it if it is not the usual one.
 */
export function alertKeyOf({ kind, body }: Event, deployment: Deployment): string {
  const named = body.payload?.custom_details?.['dedup_key']
  if (typeof named === 'string' && named !== '') return limitDedupKey(named)
  const own = kind === 'alert' && deployment.state !== 'success' ? body.dedup_key : undefined
  return own ?? deployment.identity
}

/**
 * True if an event belongs to the run of a record: the same thing deployed by the same build. If a build is not known, the
 * times decide: a run that has not ended is the one that ends, and one that began or ended at the same moment was reported
 * twice.
 */
export function isSameRun(known: Deployment, reported: Deployment): boolean {
  if (known.identity !== reported.identity) return false
  const isBuildKnown = known.buildId !== undefined && reported.buildId !== undefined
  if (isBuildKnown && known.buildId !== reported.buildId) return false
  if (reported.state === 'started') return isSameStart(known, reported, isBuildKnown)
  if (known.state === 'started' || known.isOverdue === true) return true
  if (isAnotherAttempt(known, reported)) return false
  return reported.state === known.state && (isBuildKnown || reported.endedAtMs === known.endedAtMs)
}

/** True if a build that failed was run again and has failed again: the second attempt began after the first had ended. */
function isAnotherAttempt(known: Deployment, reported: Deployment): boolean {
  const { startedAtMs, state } = reported
  return (
    state === 'failure' &&
    startedAtMs !== undefined &&
    known.endedAtMs !== undefined &&
    startedAtMs > known.endedAtMs
  )
}

/** True if a start was reported before, or belongs to a run whose outcome arrived first. */
function isSameStart(known: Deployment, reported: Deployment, isBuildKnown: boolean): boolean {
  if (known.startedAtMs !== undefined && known.startedAtMs === reported.startedAtMs) return true
  if (!isBuildKnown || known.isOverdue === true) return false
  // A build that is run again begins after its first run has ended.
  return known.state === 'started' || (reported.startedAtMs ?? 0) < (known.endedAtMs ?? 0)
}

/**
 * What is known about a run after one more of its events. Later events know how it ended, earlier ones when it began. A late
 * `started` does not replace an outcome.
 */
export function mergeDeployments(known: Deployment, reported: Deployment): Deployment {
  const isBeginning = reported.state === 'started' && known.state !== 'started'
  const [base, top] = isBeginning ? [reported, known] : [known, reported]
  const starts = [known.startedAtMs, reported.startedAtMs].filter((time) => time !== undefined)
  const { isOverdue: _, ...rest } = base
  return { ...rest, ...top, ...(starts.length > 0 && { startedAtMs: Math.min(...starts) }) }
}

function stateOf(outcome: unknown): DeploymentState | undefined {
  return DEPLOYMENT_STATES.find((state) => state === outcome)
}

function textOf(details: JsonObject, name: string): string | undefined {
  const value = details[name]
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? cutChars(value, MAX_TEXT_CHARS) : undefined
}

function firstLine(message: string | undefined): string | undefined {
  const line = message?.split(/[\r\n]/, 1)[0]?.trim() ?? ''
  return line === '' ? undefined : cutChars(line, MAX_MESSAGE_CHARS)
}

/** The links that `buildLinks` made, known by their texts. */
function linksOf(links: readonly Link[]): Pick<Deployment, 'buildUrl' | 'commitUrl' | 'compareUrl'> {
  const find = (form: RegExp): string | undefined => {
    const href = links.find(({ text }) => text !== undefined && form.test(text))?.href
    return href !== undefined && href.length <= MAX_TEXT_CHARS ? href : undefined
  }
  return present({
    buildUrl: find(/(?:^| )build$/),
    commitUrl: find(/^Commit\b/),
    compareUrl: find(/^Changes\b/),
  })
}

function startOf(details: JsonObject, state: DeploymentState, reportedAtMs: number): number | undefined {
  const given = details['started_at']
  const startedAtMs = typeof given === 'string' ? timeOf(given) : undefined
  if (startedAtMs !== undefined) return startedAtMs
  if (state === 'started') return reportedAtMs
  const seconds = details['duration_seconds']
  return typeof seconds === 'number' && seconds >= 0 && seconds * 1000 <= reportedAtMs
    ? reportedAtMs - Math.round(seconds * 1000)
    : undefined
}

function timeOf(timestamp: string | undefined): number | undefined {
  const timeMs = timestamp === undefined ? Number.NaN : Date.parse(timestamp)
  return Number.isFinite(timeMs) ? timeMs : undefined
}
