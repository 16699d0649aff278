import { delayMs } from '../../core/backoff.ts'
import type { SpoolKey } from '../spool.ts'
import { createPace, type Pace } from './pace.ts'

/** Attempts of one key that may be in flight at once: what 50 ms of network take, some 1,200 events a second. */
const MAX_IN_FLIGHT = 64

/** What is known of a key while its events are delivered. One key's trouble stays in here. */
export interface KeyState {
  readonly keyId: number
  readonly key: SpoolKey
  /** Ids of the events being attempted, until what came of them is written down. */
  readonly inFlight: Set<number>
  readonly pace: Pace
  /** Whether more may be due than is in flight: not where the last look has found less than there was room for. */
  mayHaveMore: boolean
  /** Failures since the last success; while there are any, one attempt at a time finds out whether it works again. */
  failures: number
  /** When the last failure was, for telling apart those that were in flight together. */
  failedAtMs: number
  /** No attempt before then. */
  pausedUntilMs: number
}

/** A key of which nothing is known. */
export function createKeyState(keyId: number, key: SpoolKey, ratePerMinute: number): KeyState {
  return {
    keyId,
    key,
    inFlight: new Set(),
    pace: createPace(ratePerMinute),
    mayHaveMore: true,
    failures: 0,
    failedAtMs: Number.NEGATIVE_INFINITY,
    pausedUntilMs: 0,
  }
}

/** How many attempts may begin now. */
export function roomOf({ failures, inFlight, pace, pausedUntilMs }: KeyState, nowMs: number): number {
  if (pausedUntilMs > nowMs) return 0
  const most = failures > 0 ? 1 : MAX_IN_FLIGHT
  return Math.max(0, Math.min(most - inFlight.size, pace.left(nowMs)))
}

/** When there may be room for an attempt; undefined where that takes the end of one in flight. */
export function roomAtMs({ pausedUntilMs, pace }: KeyState, nowMs: number): number | undefined {
  const atMs = Math.max(pausedUntilMs, pace.nextAtMs(nowMs))
  return atMs > nowMs ? atMs : undefined
}

/** What is said of a failed attempt. */
export interface FailedAttempt {
  readonly startedAtMs: number
  readonly nowMs: number
  /** What the server asked for. */
  readonly afterMs: number | undefined
  /** A number in [0, 1). */
  readonly random: number
}

/** The key pauses, longer with each failure in a row: a server that is down is not asked by every event in turn. */
export function noteFailure(state: KeyState, { startedAtMs, nowMs, afterMs, random }: FailedAttempt): void {
  if (startedAtMs >= state.failedAtMs) {
    state.failures++
    state.failedAtMs = nowMs
  }
  const waitMs = delayMs(Math.max(1, state.failures), afterMs, random)
  state.pausedUntilMs = Math.max(state.pausedUntilMs, nowMs + waitMs)
}

/** @returns whether the key works again after it had failed several times */
export function noteSuccess(state: KeyState): boolean {
  const isRecovery = state.failures >= 3
  state.failures = 0
  return isRecovery
}

/** Whether nothing would be lost if the state were forgotten. */
export function isAtRest({ inFlight, failures, pausedUntilMs, pace }: KeyState, nowMs: number): boolean {
  return inFlight.size === 0 && failures === 0 && pausedUntilMs <= nowMs && pace.isUnused(nowMs)
}
