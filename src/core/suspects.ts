import type { Deployment } from './deployment.ts'
import type { Event } from './event.ts'
import { isoTime } from './iso-time.ts'
import { defaultSummary } from './summary.ts'

/** A deployment that incidents are compared with. Times are milliseconds since 1970 by the relay's clock. */
export interface Suspect {
  readonly deployment: Deployment
  readonly startedAtMs: number
  /** Incidents that open later have nothing to do with it. */
  readonly untilMs: number
}

/** How long it may take until the relay knows about a deployment that is reported at once. */
const DELAY_MS = 15_000
const MAX_DELAY_MS = 60_000
/** A larger difference does not mean that a clock is wrong: the report came late. */
const MAX_SKEW_MS = 90 * 60_000

/**
 * When a deployment was, by the relay's clock: runners' clocks differ.
 * @param knownAtMs when the relay learned of it; undefined if that was before the relay began
 * @param watchMs how long incidents after it count
 */
export function suspectOf(deployment: Deployment, knownAtMs: number | undefined, watchMs: number): Suspect {
  const { startedAtMs, endedAtMs } = deployment
  const toldAtMs = endedAtMs ?? startedAtMs ?? knownAtMs ?? 0
  const endMs = knownAtMs === undefined ? toldAtMs : endOf(toldAtMs, knownAtMs)
  return {
    deployment,
    startedAtMs: endMs - (startedAtMs === undefined ? 0 : Math.max(0, toldAtMs - startedAtMs)),
    untilMs: endMs + watchMs,
  }
}

/** If the clocks agree, the deployment's own time is exact; if they do not, it ended shortly before it was known. */
function endOf(toldAtMs: number, knownAtMs: number): number {
  const delayMs = knownAtMs - toldAtMs
  const isExact = delayMs >= 0 && delayMs <= MAX_DELAY_MS
  return isExact || Math.abs(delayMs) > MAX_SKEW_MS ? toldAtMs : knownAtMs - DELAY_MS
}

/** The first line of every note about suspects: an incident that has one gets no other. */
export const SUSPECT_TITLE = 'This incident opened soon after a deployment, which may have caused it.'

/** Deployments that one note names. */
const NAMED = 5

/** A deployment, and the last one before it that succeeded. */
export interface NamedSuspect {
  readonly deployment: Deployment
  readonly lastGood?: Deployment | undefined
}

/** The note on an incident: what was deployed before it, by whom, when, the links, and what to go back to. */
export function noteAboutSuspects(suspects: readonly NamedSuspect[]): string {
  return [SUSPECT_TITLE, ...suspects.slice(0, NAMED).map(describeSuspect)].join('\n\n')
}

/**
 * The note on an incident that `watch` saw open after a deployment.
 * @param deployment the change event of the deployment that succeeded
 * @param isRolledBack whether a rollback is about to start
 */
export function noteAboutDeployment({ body }: Event, isRolledBack: boolean): string {
  const { summary = '', timestamp = '' } = body.payload ?? {}
  return [
    SUSPECT_TITLE,
    summary,
    endSentence(timestamp),
    ...(isRolledBack ? ['A rollback is starting now.'] : []),
    ...(body.links ?? []).map(({ href, text }) => (text === undefined ? href : `${text}: ${href}`)),
  ].join('\n')
}

function describeSuspect({ deployment, lastGood }: NamedSuspect): string {
  const { buildUrl, commitUrl, compareUrl } = deployment
  const links = { Build: buildUrl, Commit: commitUrl, Changes: compareUrl }
  return [
    titleOf(deployment),
    timeOf(deployment),
    ...Object.entries(links).flatMap(([name, href]) => (href === undefined ? [] : [`${name}: ${href}`])),
    ...(lastGood === undefined
      ? []
      : [`Last success before it: ${titleOf(lastGood)} (${shownTime(lastGood.endedAtMs)})`]),
  ].join('\n')
}

function titleOf({
  state,
  repository,
  commit,
  committer,
  message,
  environment,
  rollback,
  identity,
}: Deployment): string {
  const build = {
    origins: {},
    repository: repository ?? identity,
    ...(commit !== undefined && { commit }),
    ...(committer !== undefined && { committer }),
    ...(message !== undefined && { commitMessage: message }),
  }
  const outcome = state === 'started' ? 'success' : state
  return defaultSummary({ build, environment, outcome, result: {}, isRollback: rollback })
}

function timeOf({ state, startedAtMs, endedAtMs }: Deployment): string {
  if (state === 'started') return `It began at ${shownTime(startedAtMs)} and was still running.`
  return endSentence(shownTime(endedAtMs))
}

function endSentence(time: string): string {
  return `The deployment ended at ${time}.`
}

function shownTime(timeMs: number | undefined): string {
  return isoTime(timeMs) ?? 'an unknown time'
}
