import type { RecordedRequest } from '../../tools/simulator/recorder.ts'
import { REFUSED } from './agreement.ts'

/** Something that was done to a relay or to the database; times in milliseconds since the epoch. */
export interface Trouble {
  readonly kind: 'killed' | 'frozen' | 'database'
  /** Of the relay, as the simulator knows it; absent if it concerns all. */
  readonly host?: string
  readonly fromMs: number
  untilMs: number
}

/** What is wrong; each list is empty and the number at most 120 if all is well. */
export interface FleetVerdict {
  /** Accepted, and PagerDuty has neither got nor refused it. */
  readonly lost: string[]
  /** Attempted after a later event of its alert that was posted after it was accepted. */
  readonly overtaken: string[]
  /** Attempted again though it was answered, without any trouble of its relay just then. */
  readonly repeatedForNoReason: string[]
  /** Attempted again after trouble. */
  readonly repeated: number
  /** Most attempts of one key within a minute. */
  readonly mostPerMinute: number
}

interface Attempt {
  readonly summary: string
  readonly alert: string
  readonly number: number
  readonly key: string
  readonly host: string
  readonly isTaken: boolean
  readonly isAnswered: boolean
  readonly atMs: number
}

/** How long before the trouble an answer may have arrived without its result being written. */
const WRITTEN_WITHIN_MS = 5000
const MINUTE_MS = 60_000

/**
 * Compares what PagerDuty saw with what was promised to callers. An event whose caller got no answer may come at any time, or never.
 * @param timeoutMs an answer that took as long may have come too late
 */
export function judgeFleet(
  requests: readonly RecordedRequest[],
  {
    accepted,
    troubles,
    timeoutMs,
  }: { accepted: ReadonlySet<string>; troubles: readonly Trouble[]; timeoutMs: number },
): FleetVerdict {
  const attempts = requests.flatMap((request) => toAttempt(request) ?? [])
  const taken = new Set(attempts.filter(({ isTaken }) => isTaken).map(({ summary }) => summary))
  const repetitions = findRepetitions(attempts)
  const isExcused = ([first, again]: Repetition): boolean =>
    troubles.some(
      ({ host, fromMs, untilMs }) =>
        (host === undefined || host === first.host) &&
        fromMs - WRITTEN_WITHIN_MS < first.atMs &&
        first.atMs < untilMs + WRITTEN_WITHIN_MS,
    ) ||
    (first.host === again.host && again.atMs - first.atMs >= timeoutMs)
  return {
    lost: [...accepted].filter((summary) => !taken.has(summary)),
    overtaken: findOvertaken(attempts.filter(({ summary }) => accepted.has(summary))),
    repeatedForNoReason: repetitions.filter((one) => !isExcused(one)).map(describe),
    repeated: repetitions.length,
    mostPerMinute: Math.max(
      0,
      ...Map.groupBy(attempts, ({ key }) => key)
        .values()
        .map(mostInAMinute),
    ),
  }
}

type Repetition = readonly [first: Attempt, again: Attempt]

function toAttempt({ json, headers, behaviour, receivedAtMs }: RecordedRequest): Attempt | undefined {
  const { payload, routing_key: key = '' } = (json ?? {}) as {
    payload?: { summary: string }
    routing_key?: string
  }
  if (payload === undefined) return undefined
  const [alert = '', number = ''] = payload.summary.split(' ')
  const isAnswered =
    behaviour.kind === 'usual' ||
    (behaviour.kind === 'answer' && behaviour.status === 400 && payload.summary.includes(REFUSED))
  return {
    summary: payload.summary,
    alert,
    number: Number(number),
    key,
    host: headers.host?.split(':')[0] ?? '',
    isTaken: isAnswered || (behaviour.kind === 'reset' && behaviour.after === 'half-answer'),
    isAnswered,
    atMs: receivedAtMs,
  }
}

function findRepetitions(attempts: readonly Attempt[]): Repetition[] {
  const answered = new Map<string, Attempt>()
  return attempts.flatMap((attempt) => {
    const first = answered.get(attempt.summary)
    if (attempt.isAnswered) answered.set(attempt.summary, attempt)
    return first === undefined ? [] : [[first, attempt] as const]
  })
}

function findOvertaken(attempts: readonly Attempt[]): string[] {
  const latest = new Map<string, Attempt>()
  return attempts.flatMap((attempt) => {
    const { alert, number, summary } = attempt
    const before = latest.get(alert)
    if (before === undefined || number >= before.number) {
      latest.set(alert, attempt)
      return []
    }
    return [
      `${summary} from ${attempt.host} ${attempt.atMs - before.atMs} ms after ${before.number} from ${before.host}`,
    ]
  })
}

function describe([first, again]: Repetition): string {
  return `${first.summary}: answered to ${first.host}; again from ${again.host} ${again.atMs - first.atMs} ms later`
}

function mostInAMinute(attempts: readonly Attempt[]): number {
  const times = attempts.map(({ atMs }) => atMs).toSorted((a, b) => a - b)
  let first = 0
  return times.reduce((most, atMs, last) => {
    while ((times[first] ?? atMs) <= atMs - MINUTE_MS) first++
    return Math.max(most, last - first + 1)
  }, 0)
}
