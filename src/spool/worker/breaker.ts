import { delayMs, type Backoff } from '../../core/backoff.ts'

/** Events that were never tried, and those that were. Each lane probes on its own, so failing events never delay new ones. */
export type Lane = 'fresh' | 'tried'

/** An attempt as the breaker sees it. */
export interface Attempted {
  readonly id: number
  /** What may be at fault on its own: an alert's dedup key, or the change event. */
  readonly alert: string
  readonly lane: Lane
  readonly startedAtMs: number
}

/** How an attempt failed. */
export interface Fault {
  readonly nowMs: number
  /** Whether the server answered, with 5xx or 408, which may be the event's own fault. */
  readonly isAnswered: boolean
  /** The wait that the server asked for. */
  readonly afterMs: number | undefined
  /** A number in [0, 1). */
  readonly random: number
}

/**
 * A circuit breaker for one kind of one key's events. It opens if the server cannot be reached, or fails for different
 * alerts. Then one event of each lane at a time probes whether the server works again, after growing waits, and one
 * acceptance closes it. An event that fails alone, however often, does not open it.
 */
export interface Breaker {
  /** How many attempts may start now: none, one, or any number. */
  room(lane: Lane, nowMs: number): number
  /** When the lane may attempt again; undefined if it may now. */
  pausedUntilMs(lane: Lane, nowMs: number): number | undefined
  /** Whether attempts are probes now. */
  isProbing(): boolean
  started(lane: Lane): void
  /** An attempt has ended. */
  ended(lane: Lane): void
  failed(attempt: Attempted, fault: Fault): void
  /**
   * PagerDuty accepted or refused an event, so the server works.
   * @returns whether it had failed for long enough that waiting events should be due at once
   */
  worked(id: number, nowMs: number): boolean
  isAtRest(): boolean
}

/** Failed probes after which a recovery makes all events due at once. */
const LONG_FAILURES = 3
/**
 * The waits of alerts that were never tried, while the server answers with errors: each alert that failed may have failed
 * alone.
 */
const FRESH_WHILE_ANSWERED: Backoff = { firstMs: 1000, ceilingMs: 8000 }

interface Probing {
  failures: number
  /** The time of the last failure, to recognize attempts that were in flight at the same time. */
  failedAtMs: number
  pausedUntilMs: number
  inFlight: number
}

/** A closed breaker. */
export function createBreaker(): Breaker {
  const lanes: Readonly<Record<Lane, Probing>> = { fresh: createProbing(), tried: createProbing() }
  /** Alerts that have failed since the last acceptance. */
  const failing = new Set<string>()
  /** When each unsettled event failed last. */
  const failedAtMs = new Map<number, number>()
  let workedAtMs = Number.NEGATIVE_INFINITY

  /** If the server has worked since the event's last failure, the fault is the event's own. */
  const isOwnFault = (id: number): boolean => workedAtMs >= (failedAtMs.get(id) ?? Number.POSITIVE_INFINITY)
  const pausedUntilMs = (lane: Lane, nowMs: number): number | undefined => {
    const untilMs = lanes[lane].pausedUntilMs
    return untilMs > nowMs ? untilMs : undefined
  }
  return {
    room: (lane, nowMs) => {
      if (pausedUntilMs(lane, nowMs) !== undefined) return 0
      return failing.size === 0 ? Number.POSITIVE_INFINITY : Math.max(0, 1 - lanes[lane].inFlight)
    },
    pausedUntilMs,
    isProbing: () => failing.size > 0,
    started: (lane) => void lanes[lane].inFlight++,
    ended: (lane) => void lanes[lane].inFlight--,
    failed: ({ id, alert, lane, startedAtMs }, { nowMs, isAnswered, afterMs, random }) => {
      const isItsOwn = isOwnFault(id)
      failedAtMs.set(id, nowMs)
      if (isItsOwn) return
      failing.add(alert)
      if (isAnswered && failing.size < 2) return // the next probe is another alert, at once
      const probing = lanes[lane]
      if (startedAtMs >= probing.failedAtMs) {
        probing.failures++
        probing.failedAtMs = nowMs
      }
      const backoff = isAnswered && lane === 'fresh' ? FRESH_WHILE_ANSWERED : undefined
      const waitMs = delayMs(probing.failures, afterMs, random, backoff)
      probing.pausedUntilMs = Math.max(probing.pausedUntilMs, nowMs + waitMs)
    },
    worked: (id, nowMs) => {
      const isRecovery = lanes.fresh.failures + lanes.tried.failures >= LONG_FAILURES
      workedAtMs = nowMs
      failedAtMs.delete(id)
      failing.clear()
      reset(lanes.fresh)
      reset(lanes.tried)
      return isRecovery
    },
    isAtRest: () => failing.size === 0 && failedAtMs.size === 0,
  }
}

/** Forgets all failures. */
function reset(probing: Probing): void {
  probing.failures = 0
  probing.failedAtMs = Number.NEGATIVE_INFINITY
  probing.pausedUntilMs = 0
}

function createProbing(): Probing {
  return { failures: 0, failedAtMs: Number.NEGATIVE_INFINITY, pausedUntilMs: 0, inFlight: 0 }
}
