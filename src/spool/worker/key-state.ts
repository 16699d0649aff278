import { delayMs } from '../../core/backoff.ts'
import type { Event } from '../../core/event.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { DueEvent, SpoolKey } from '../spool.ts'
import { createBreaker, type Breaker, type Lane } from './breaker.ts'
import { createPace, type Pace } from './rate-limit.ts'

/** Attempts of one key that may be in flight at once: what 50 ms of network take, some 1,200 events a second. */
const MAX_IN_FLIGHT = 64
/** How many of them change events leave for alerts. */
const ALERTS_IN_FLIGHT = 16
/** Up to how many attempts a minute there may be before one of these: the rest of the pace is for what matters more. */
const CHANGES_PER_MINUTE = 80
const TRIED_PER_MINUTE = 90

/** What is known of a key while its events are delivered. One key's trouble stays in here. */
export interface KeyState {
  /** What makes several keys of the spool one; it holds the secret. */
  readonly identity: string
  /** The keys in the spool that mean one secret: written out, by its alias, as the relay's own. */
  readonly keys: Map<number, SpoolKey>
  /** Ids of the events being attempted, until what came of them is written down. */
  readonly inFlight: Set<number>
  readonly pace: Pace
  /** What a key may do in a minute. */
  readonly ratePerMinute: number
  /** Alerts and change events go to different endpoints, one of which may fail alone. */
  readonly breakers: Readonly<Record<Event['kind'], Breaker>>
  /** Whether more may be due than is in flight: not if the last look has found less than there was room for. */
  mayHaveMore: boolean
  /** Answers 429 since the last success; while there are any, one attempt at a time finds out if it may go on. */
  throttles: number
  throttledAtMs: number
  /** No attempt before then. */
  throttledUntilMs: number
  /** Whether the next probe takes the newest event instead of the oldest. */
  isNewestNext: boolean
}

/** A key of which nothing is known. */
export function createKeyState(identity: string, ratePerMinute: number): KeyState {
  return {
    identity,
    keys: new Map(),
    inFlight: new Set(),
    pace: createPace(ratePerMinute),
    ratePerMinute,
    breakers: { alert: createBreaker(), change: createBreaker() },
    mayHaveMore: true,
    throttles: 0,
    throttledAtMs: Number.NEGATIVE_INFINITY,
    throttledUntilMs: 0,
    isNewestNext: true,
  }
}

/** Events of one kind and lane: they share what room there is. */
export interface Class {
  readonly kind: Event['kind']
  readonly lane: Lane
}

/** How many attempts of a kind may begin now, whatever its breaker says. */
export function roomOfKind(
  { throttles, throttledUntilMs, inFlight }: KeyState,
  kind: Event['kind'],
  nowMs: number,
): number {
  if (throttledUntilMs > nowMs) return 0
  const most = throttles > 0 ? 1 : MAX_IN_FLIGHT - (kind === 'change' ? ALERTS_IN_FLIGHT : 0)
  return Math.max(0, most - inFlight.size)
}

/** How many attempts of a class may begin now. */
export function roomOf(state: KeyState, { kind, lane }: Class, nowMs: number): number {
  const paced = state.pace.left(nowMs, reserveOf(state, { kind, lane }))
  return Math.min(roomOfKind(state, kind, nowMs), state.breakers[kind].room(lane, nowMs), paced)
}

/** When there may be room for a class again; undefined if that takes the end of an attempt, or nothing at all. */
export function roomAtMs(state: KeyState, { kind, lane }: Class, nowMs: number): number | undefined {
  const { throttledUntilMs, pace, breakers } = state
  const pausedUntilMs = breakers[kind].pausedUntilMs(lane, nowMs) ?? 0
  const pacedUntilMs = pace.nextAtMs(nowMs, reserveOf(state, { kind, lane }))
  const atMs = Math.max(throttledUntilMs, pausedUntilMs, pacedUntilMs)
  return atMs > nowMs ? atMs : undefined
}

/** How much of the pace a class leaves for those that matter more. */
function reserveOf({ ratePerMinute }: KeyState, { kind, lane }: Class): number {
  if (kind === 'change') return Math.max(0, ratePerMinute - CHANGES_PER_MINUTE)
  return lane === 'tried' ? Math.max(0, ratePerMinute - TRIED_PER_MINUTE) : 0
}

/** Whether attempts of a kind find out if the server works. */
export function isProbing({ throttles, breakers }: KeyState, kind: Event['kind']): boolean {
  return throttles > 0 || breakers[kind].isProbing()
}

/** An attempt of an event begins. */
export function noteStart({ inFlight, pace, breakers }: KeyState, event: DueEvent, nowMs: number): void {
  inFlight.add(event.id)
  pace.use(nowMs)
  breakers[event.kind].began(laneOf(event))
}

/** What came of it is written down, or it was broken off. */
export function noteEnd({ inFlight, breakers }: KeyState, event: DueEvent): void {
  inFlight.delete(event.id)
  breakers[event.kind].ended(laneOf(event))
}

/** When an attempt began and ended, and chance, a number in [0, 1). */
export interface Moment {
  readonly startedAtMs: number
  readonly nowMs: number
  readonly random: number
}

/**
 * The key pauses for a 429, and as its breaker says for everything else that may pass.
 * @returns whether it works again after it had failed several times
 */
export function noteOutcome(state: KeyState, event: DueEvent, outcome: Outcome, moment: Moment): boolean {
  const { startedAtMs, nowMs, random } = moment
  const { id, kind, dedupKey } = event
  const breaker = state.breakers[kind]
  if (outcome.kind === 'accepted' || outcome.kind === 'refused') {
    state.throttles = 0
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

function laneOf({ attempts }: DueEvent): Lane {
  return attempts === 0 ? 'fresh' : 'tried'
}

/** Whether nothing would be lost if the state were forgotten. */
export function isAtRest(
  { inFlight, throttles, throttledUntilMs, pace, breakers }: KeyState,
  nowMs: number,
): boolean {
  const isQuiet = breakers.alert.isAtRest() && breakers.change.isAtRest()
  return (
    isQuiet && inFlight.size === 0 && throttles === 0 && throttledUntilMs <= nowMs && pace.isUnused(nowMs)
  )
}
