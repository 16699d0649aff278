import { delayMs } from '../../core/backoff.ts'
import type { Event } from '../../core/event.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { DueEvent, SpoolKey } from '../spool.ts'
import { createBreaker, type Breaker, type Lane } from './breaker.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'
import type { KeyReport } from './types.ts'

/** Attempts of one key in flight at once. Over a round trip of 50 ms that is about 1,200 events a second. */
const MAX_IN_FLIGHT = 64
/** How many of them are reserved for alerts. */
const ALERTS_IN_FLIGHT = 16
/** Most attempts in a minute before one of these may start; the rest of the rate is reserved for more important events. */
const CHANGES_PER_MINUTE = 80
const TRIED_PER_MINUTE = 90

/** The state of one key while its events are delivered. Problems of one key do not affect others. */
export interface KeyState {
  /** Identifies keys of the spool that are one key; it contains the secret. */
  readonly identity: string
  /** The keys of the spool that mean one secret: a caller's own, an alias, the default key. */
  readonly keys: Map<number, SpoolKey>
  /** Ids of the events being attempted, until their results are written. */
  readonly inFlight: Set<number>
  readonly rateLimit: RateLimit
  /** Most attempts in a minute. */
  readonly ratePerMinute: number
  /** Alerts and change events go to different endpoints, and either may fail alone. */
  readonly breakers: Readonly<Record<Event['kind'], Breaker>>
  /** Whether more may be due than is in flight: false if the last search found fewer events than there was room for. */
  mayHaveMore: boolean
  /** Answers 429 since the last success; while there are any, one attempt at a time probes whether the limit is over. */
  throttles: number
  throttledAtMs: number
  /** No attempt before then. */
  throttledUntilMs: number
  /** When PagerDuty last accepted one of its events. */
  lastDeliveredAtMs: number | undefined
  /** Whether the next probe is the newest event instead of the oldest. */
  isNewestNext: boolean
}

/** The state of a key that has not been used. */
export function createKeyState(identity: string, ratePerMinute: number): KeyState {
  return {
    identity,
    keys: new Map(),
    inFlight: new Set(),
    rateLimit: createRateLimit(ratePerMinute),
    ratePerMinute,
    breakers: { alert: createBreaker(), change: createBreaker() },
    mayHaveMore: true,
    throttles: 0,
    throttledAtMs: Number.NEGATIVE_INFINITY,
    throttledUntilMs: 0,
    lastDeliveredAtMs: undefined,
    isNewestNext: true,
  }
}

/** Events of one kind and lane, which share their room. */
export interface Class {
  readonly kind: Event['kind']
  readonly lane: Lane
}

/** The class of an event. */
export function classOf(event: DueEvent): Class {
  return { kind: event.kind, lane: laneOf(event) }
}

/** How many attempts of a kind may start now, regardless of its breaker. */
export function roomOfKind(
  { throttles, throttledUntilMs, inFlight }: KeyState,
  kind: Event['kind'],
  nowMs: number,
): number {
  if (throttledUntilMs > nowMs) return 0
  const most = throttles > 0 ? 1 : MAX_IN_FLIGHT - (kind === 'change' ? ALERTS_IN_FLIGHT : 0)
  return Math.max(0, most - inFlight.size)
}

/** How many attempts of a class may start now. */
export function roomOf(state: KeyState, { kind, lane }: Class, nowMs: number): number {
  const paced = state.rateLimit.left(nowMs, reserveOf(state, { kind, lane }))
  return Math.min(roomOfKind(state, kind, nowMs), state.breakers[kind].room(lane, nowMs), paced)
}

/** When there may be room for a class again; undefined if there is room now, or when an attempt ends. */
export function roomAtMs(state: KeyState, { kind, lane }: Class, nowMs: number): number | undefined {
  const { throttledUntilMs, rateLimit, breakers } = state
  const pausedUntilMs = breakers[kind].pausedUntilMs(lane, nowMs) ?? 0
  const pacedUntilMs = rateLimit.nextAtMs(nowMs, reserveOf(state, { kind, lane }))
  const atMs = Math.max(throttledUntilMs, pausedUntilMs, pacedUntilMs)
  return atMs > nowMs ? atMs : undefined
}

/** How much of the rate a class leaves for more important ones. */
function reserveOf({ ratePerMinute }: KeyState, { kind, lane }: Class): number {
  if (kind === 'change') return Math.max(0, ratePerMinute - CHANGES_PER_MINUTE)
  return lane === 'tried' ? Math.max(0, ratePerMinute - TRIED_PER_MINUTE) : 0
}

/** Whether attempts of a kind are probes now. */
export function isProbing({ throttles, breakers }: KeyState, kind: Event['kind']): boolean {
  return throttles > 0 || breakers[kind].isProbing()
}

/** Records that an attempt starts. */
export function noteStart({ inFlight, rateLimit, breakers }: KeyState, event: DueEvent, nowMs: number): void {
  inFlight.add(event.id)
  rateLimit.use(nowMs)
  breakers[event.kind].started(laneOf(event))
}

/** Records that an attempt's result is written, or that it was aborted. */
export function noteEnd({ inFlight, breakers }: KeyState, event: DueEvent): void {
  inFlight.delete(event.id)
  breakers[event.kind].ended(laneOf(event))
}

/** When an attempt started and ended, and a random number in [0, 1). */
export interface Moment {
  readonly startedAtMs: number
  readonly nowMs: number
  readonly random: number
}

/**
 * Records an outcome: a 429 pauses the key, and other temporary failures go to its breaker.
 * @returns whether the key works again after several failures
 */
export function noteOutcome(state: KeyState, event: DueEvent, outcome: Outcome, moment: Moment): boolean {
  const { startedAtMs, nowMs, random } = moment
  const { id, kind, dedupKey } = event
  const breaker = state.breakers[kind]
  if (outcome.kind === 'accepted' || outcome.kind === 'refused') {
    state.throttles = 0
    if (outcome.kind === 'accepted') state.lastDeliveredAtMs = nowMs
    return breaker.worked(id, nowMs)
  }
  const afterMs = outcome.kind === 'retry' ? outcome.afterMs : undefined
  if (outcome.kind === 'retry' && outcome.status === 429) {
    if (startedAtMs >= state.throttledAtMs) state.throttles++
    state.throttledAtMs = nowMs
    const waitMs = delayMs(state.throttles, afterMs, random)
    state.throttledUntilMs = Math.max(state.throttledUntilMs, nowMs + waitMs)
    return false
  }
  const attempted = { id, alert: dedupKey ?? `#${id}`, lane: laneOf(event), startedAtMs }
  const isAnswered = outcome.kind === 'retry' && outcome.status !== undefined
  breaker.failed(attempted, { nowMs, isAnswered, afterMs, random })
  return false
}

/** The state of a key, for people. */
export function reportOf(state: KeyState, nowMs: number): Omit<KeyReport, 'key'> {
  const { throttledUntilMs, breakers, rateLimit, ratePerMinute, lastDeliveredAtMs } = state
  const pauses = Object.values(breakers).map((breaker) => breaker.pausedUntilMs('fresh', nowMs) ?? 0)
  const pausedUntilMs = Math.max(throttledUntilMs, ...pauses)
  const nextAlertAtMs = roomAtMs(state, { kind: 'alert', lane: 'fresh' }, nowMs)
  const nextChangeAtMs = roomAtMs(state, { kind: 'change', lane: 'fresh' }, nowMs)
  return {
    usedLastMinute: Number.isFinite(ratePerMinute) ? ratePerMinute - rateLimit.left(nowMs) : 0,
    perMinute: ratePerMinute,
    ...(pausedUntilMs > nowMs && { pausedUntilMs }),
    ...(nextAlertAtMs !== undefined && { nextAlertAtMs }),
    ...(nextChangeAtMs !== undefined && { nextChangeAtMs }),
    ...(lastDeliveredAtMs !== undefined && { lastDeliveredAtMs }),
  }
}

function laneOf({ attempts }: DueEvent): Lane {
  return attempts === 0 ? 'fresh' : 'tried'
}

/** Whether the state can be forgotten without losing anything. */
export function isAtRest(
  { inFlight, throttles, throttledUntilMs, rateLimit, breakers }: KeyState,
  nowMs: number,
): boolean {
  const isQuiet = breakers.alert.isAtRest() && breakers.change.isAtRest()
  return (
    isQuiet &&
    inFlight.size === 0 &&
    throttles === 0 &&
    throttledUntilMs <= nowMs &&
    rateLimit.isUnused(nowMs)
  )
}
