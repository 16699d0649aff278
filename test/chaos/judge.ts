import type { RecordedRequest } from '../../tools/simulator/recorder.ts'
import type { FullPeriod } from './filling-disk.ts'
import { TIMEOUT_MS, type Fleet } from './fleet.ts'

/** How long before its deliverer died an answer may have arrived without being recorded: as long as it waits for writers. */
const WRITTEN_WITHIN_MS = 5000

/** A request as it matters here. */
interface Attempt {
  /** The event: its alert, a space and its number. */
  readonly summary: string
  readonly alert: string
  readonly number: number
  /** Who made it. */
  readonly host: string
  /** Whether PagerDuty has the event after it. */
  readonly isTaken: boolean
  /** Whether the whole answer was sent. */
  readonly isAnswered: boolean
  readonly atMs: number
}

/** What is wrong; each list is empty if all is well. */
export interface Verdict {
  /** Accepted, and PagerDuty has never got it. */
  readonly lost: string[]
  /** Attempted after a later event of its alert, or the last attempt of its alert though there was a later event. */
  readonly outOfOrder: string[]
  /** Attempted again though it was answered, and its deliverer did not end just then. */
  readonly repeatedInVain: string[]
  /** Delivered the spool while another process did. */
  readonly secondDeliverers: string[]
  /** Attempted again since the deliverer ended with it in flight. */
  readonly repeated: number
}

/**
 * Compares what PagerDuty saw with what was promised to the writers.
 * @param fullPeriods when the disk was full. A deliverer that ended then may not have been able to record its results, so
 * its events are sent again, each alert's in order
 */
export function judge(
  requests: readonly RecordedRequest[],
  fleet: Pick<Fleet, 'accepted' | 'endedAtMs' | 'alertOfCommand'>,
  fullPeriods: readonly FullPeriod[] = [],
): Verdict {
  const attempts = requests.flatMap((request) => toAttempt(request) ?? [])
  const taken = new Set(attempts.filter(({ isTaken }) => isTaken).map(({ summary }) => summary))
  const repetitions = findRepetitions(attempts)
  const isEndedThen = ({ host, atMs }: Attempt): boolean =>
    atMs > (fleet.endedAtMs.get(host) ?? Number.POSITIVE_INFINITY) - WRITTEN_WITHIN_MS
  // An answer that took too long counts as none.
  const isLate = ([first, again]: Repetition): boolean =>
    again.atMs - first.atMs >= TIMEOUT_MS &&
    (first.host === again.host || fleet.alertOfCommand.has(first.host))
  const isUnrecorded = ([{ host, atMs }]: Repetition): boolean =>
    fullPeriods.some(
      ({ fromMs, untilMs }) =>
        atMs > fromMs - WRITTEN_WITHIN_MS &&
        (fleet.endedAtMs.get(host) ?? Number.POSITIVE_INFINITY) < untilMs + WRITTEN_WITHIN_MS,
    )
  const unrecorded = repetitions.filter(isUnrecorded)
  return {
    lost: [...fleet.accepted].filter((summary) => !taken.has(summary)),
    outOfOrder: findOutOfOrder(attempts, new Set(unrecorded.map(([, again]) => again))),
    repeatedInVain: repetitions
      .filter(
        (repetition) =>
          !isEndedThen(repetition[0]) && !isLate(repetition) && !unrecorded.includes(repetition),
      )
      .map(([first, again]) => describe(first, again, fleet.endedAtMs.get(first.host))),
    secondDeliverers: findSecondDeliverers(attempts, fleet.alertOfCommand),
    repeated: repetitions.length,
  }
}

function toAttempt({ json, headers, behaviour, receivedAtMs }: RecordedRequest): Attempt | undefined {
  const { payload } = (json ?? {}) as { payload?: { summary: string } }
  if (payload === undefined) return undefined
  const [alert = '', number = ''] = payload.summary.split(' ')
  const isAccepted = ['usual', 'interim'].includes(behaviour.kind)
  // A refusal is final, too.
  const isAnswered = isAccepted || (behaviour.kind === 'answer' && behaviour.status === 400)
  // These accept the event, but the answer may not arrive: the closing of the connection can overtake it.
  const isTakenAllTheSame =
    ['close', 'headers', 'malformed', 'truncate'].includes(behaviour.kind) ||
    (behaviour.kind === 'reset' && behaviour.after === 'half-answer')
  return {
    summary: payload.summary,
    alert,
    number: Number(number),
    host: headers.host?.split(':')[0] ?? '',
    isTaken: isAccepted || isTakenAllTheSame,
    isAnswered,
    atMs: receivedAtMs,
  }
}

function describe(first: Attempt, again: Attempt, endedAtMs: number | undefined): string {
  const end = endedAtMs === undefined ? 'still running' : `ended ${endedAtMs - first.atMs} ms after that`
  return `${first.summary}: answered to ${first.host}, ${end}; again from ${again.host} ${again.atMs - first.atMs} ms later`
}

type Repetition = readonly [first: Attempt, again: Attempt]

function findRepetitions(attempts: readonly Attempt[]): Repetition[] {
  const answered = new Map<string, Attempt>()
  return attempts.flatMap((attempt) => {
    const first = answered.get(attempt.summary)
    if (attempt.isAnswered) answered.set(attempt.summary, attempt)
    return first === undefined ? [] : [[first, attempt] as const]
  })
}

/** @param unrecorded attempts that repeat what could not be recorded: with each, the order of its alert begins again */
function findOutOfOrder(attempts: readonly Attempt[], unrecorded: ReadonlySet<Attempt>): string[] {
  const latest = new Map<string, number>()
  const highest = new Map<string, number>()
  const overtaken = attempts.flatMap((attempt) => {
    const { alert, number, summary } = attempt
    if (number < (latest.get(alert) ?? 0) && !unrecorded.has(attempt)) return [summary]
    latest.set(alert, number)
    highest.set(alert, Math.max(number, highest.get(alert) ?? 0))
    return []
  })
  const notLast = [...latest].filter(([alert, number]) => number < (highest.get(alert) ?? 0))
  return [...overtaken, ...notLast.map(([alert, number]) => `${alert} ends with ${number}`)]
}

/** A process delivers from when it takes the lease until its end, so none comes back after another. */
function findSecondDeliverers(
  attempts: readonly Attempt[],
  alertOfCommand: ReadonlyMap<string, string>,
): string[] {
  const former = new Set<string>()
  let current = ''
  // What a command sends before it keeps anything is its own affair.
  const fromSpool = attempts.filter(({ host, alert }) => alertOfCommand.get(host) !== alert)
  return fromSpool.flatMap(({ host, summary }) => {
    if (host === current) return []
    former.add(current)
    current = host
    return former.has(host) ? [`${host} with ${summary}`] : []
  })
}
