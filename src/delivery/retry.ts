import { delayMs } from '../core/backoff.ts'
import type { Outcome } from '../core/outcome.ts'

/** How a delivery ended. */
export interface DeliveryResult {
  readonly outcome: 'accepted' | 'refused' | 'undelivered'
  /** Attempts made, 1 or more. */
  readonly attempts: number
  readonly durationMs: number
  /** The last HTTP status, if there was an answer. */
  readonly status?: number
  /** Why it was not accepted. */
  readonly reason?: string
  /** The wait before the next attempt, had there been time; absent if another attempt is useless. */
  readonly retryInMs?: number
}

/** A failed attempt that will be repeated. */
export interface Retry {
  readonly attempt: number
  readonly reason: string
  readonly delayMs: number
  readonly leftMs: number
}

/** Time and randomness, as arguments so that tests are exact. */
export interface Clock {
  /** Milliseconds by a clock that never goes back. */
  now(): number
  /** Resolves after the time or when the signal aborts, whichever comes first. Never rejects. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>
  /** A number in [0, 1). */
  random(): number
}

export interface DeliverOptions {
  /** One attempt with the same bytes each time. */
  readonly attempt: (timeoutMs: number, signal: AbortSignal) => Promise<Outcome>
  /** When to give up, on the clock's scale. */
  readonly deadlineAtMs: number
  /** Time limit of one attempt. */
  readonly timeoutMs: number
  /** No limit if omitted. 1 if failed events go to a spool. */
  readonly maxAttempts?: number
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onRetry: (retry: Retry) => void
}

/**
 * Attempts until PagerDuty accepts or refuses, the deadline passes or the signal aborts: the only retry loop outside of the
 * spool. The first attempt is always made. If a wait would pass the deadline, this returns at once, and no attempt may run
 * past the deadline.
 */
export async function deliver(options: DeliverOptions): Promise<DeliveryResult> {
  const { attempt, deadlineAtMs, timeoutMs, maxAttempts = Infinity, clock, signal, onRetry } = options
  const startMs = clock.now()
  for (let attempts = 1; ; attempts++) {
    const leftMs = Math.max(1, Math.round(deadlineAtMs - clock.now()))
    const outcome = await attempt(Math.min(timeoutMs, leftMs), signal)
    const soFar = { attempts, durationMs: Math.round(clock.now() - startMs), ...statusOf(outcome) }
    if (outcome.kind === 'accepted') return { ...soFar, outcome: 'accepted' }
    if (outcome.kind === 'refused') return { ...soFar, outcome: 'refused', reason: outcome.reason }
    const undelivered = { ...soFar, outcome: 'undelivered', reason: outcome.reason } as const
    if (outcome.kind === 'unreachable' || signal.aborted) return undelivered
    const waitMs = delayMs(attempts, outcome.afterMs, clock.random())
    const leftAfterMs = deadlineAtMs - clock.now() - waitMs
    if (leftAfterMs <= 0 || attempts >= maxAttempts) return { ...undelivered, retryInMs: waitMs }
    onRetry({ attempt: attempts, reason: outcome.reason, delayMs: waitMs, leftMs: leftAfterMs })
    await clock.sleep(waitMs, signal)
    if (signal.aborted) return undelivered
  }
}

function statusOf(outcome: Outcome): { status?: number } {
  return outcome.status === undefined ? {} : { status: outcome.status }
}
