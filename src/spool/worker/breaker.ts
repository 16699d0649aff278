import { delayMs, type Backoff } from '../../core/backoff.ts'

/** Events that were never tried, and those that were: each probe for themselves, so that what fails never delays what is new. */
export type Lane = 'fresh' | 'tried'

/** An attempt as the breaker sees it. */
export interface Attempted {
  readonly id: number
  /** What may be to blame by itself: an alert's dedup key, or the change event. */
  readonly alert: string
  readonly lane: Lane
  readonly startedAtMs: number
}

/** How an attempt failed. */
export interface Fault {
  readonly nowMs: number
  /** Whether the server answered, with a 5xx or 408: that may be the event's own fault. */
  readonly isAnswered: boolean
  /** What the server asked for. */
  readonly afterMs: number | undefined
  /** A number in [0, 1). */
  readonly random: number
}

/**
 * A circuit breaker for one kind of one key's events. It opens when the server cannot be reached, or fails for different
 * alerts; then one event of each lane at a time finds out whether it works again, after waits that grow, and one acceptance
 * closes it. An event that fails by itself, however often, does not open it.
 */
export interface Breaker {
  /** How many attempts may begin now: none, one, or any number. */
  room(lane: Lane, nowMs: number): number
  /** Until when the lane makes no attempt; undefined if it may. */
  pausedUntilMs(lane: Lane, nowMs: number): number | undefined
  /** Whether attempts find out if the server works. */
  isProbing(): boolean
  began(lane: Lane): void
  /** An attempt is over. */
  ended(lane: Lane): void
  failed(attempt: Attempted, fault: Fault): void
  /**
   * PagerDuty took the event or refused it: the server works.
   * @returns whether it had failed for so long that what waits need not wait any longer
   */
  worked(id: number, nowMs: number): boolean
  isAtRest(): boolean
}

/** Failed probes after which a recovery makes everything due at once. */
const LONG_FAILURES = 3
/**
 * The longest wait of alerts that were never tried while the server answers, if only with errors: each of those that failed
 * may have failed by itself.
 */
const FRESH_WHILE_ANSWERED: Backoff = { firstMs: 1000, ceilingMs: 8000 }

interface Probing {
  failures: number
  /** When the last failure was, for telling apart those that were in flight together. */
  failedAtMs: number
  pausedUntilMs: number
  inFlight: number
}

/** A breaker that is closed. */
export function createBreaker(): Breaker {
  const lanes: Readonly<Record<Lane, Probing>> = { fresh: createProbing(), tried: createProbing() }
  /** Alerts that have failed since the last acceptance. */
  const failing = new Set<string>()
  /** When each event that is not settled failed last. */
  const failedAtMs = new Map<number, number>()
  let workedAtMs = Number.NEGATIVE_INFINITY

  /** If the server worked since the event failed before, the fault is the event's. */
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
    began: (lane) => void lanes[lane].inFlight++,
    ended: (lane) => void lanes[lane].inFlight--,
    failed: ({ id, alert, lane, startedAtMs }, { nowMs, isAnswered, afterMs, random }) => {
      const isItsOwn = isOwnFault(id)
      failedAtMs.set(id, nowMs)
      if (isItsOwn) return
      failing.add(alert)
      if (isAnswered && failing.size < 2) return // the next probe takes another alert, at once
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
      for (const probing of Object.values(lanes))
        Object.assign(probing, { ...createProbing(), inFlight: probing.inFlight })
      return isRecovery
    },
    isAtRest: () => failing.size === 0 && failedAtMs.size === 0,
  }
}

function createProbing(): Probing {
  return { failures: 0, failedAtMs: Number.NEGATIVE_INFINITY, pausedUntilMs: 0, inFlight: 0 }
}
