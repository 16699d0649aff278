import { delayMs } from '../core/backoff.ts'
import type { Outcome } from '../core/outcome.ts'

/** How a delivery ended. */
export interface DeliveryResult {
  readonly outcome: 'accepted' | 'refused' | 'undelivered'
  /** Attempts made, 1 or more. */
  readonly attempts: number
  readonly durationMs: number
  /** The last HTTP status, where an answer came. */
  readonly status?: number
  /** Why it was not accepted. */
  readonly reason?: string
  /** After which wait another attempt would have been made; absent where none is of use. */
  readonly retryInMs?: number
}

/** What is said of an attempt that is to be repeated. */
export interface Retry {
  readonly attempt: number
  readonly reason: string
  readonly delayMs: number
  readonly leftMs: number
}

/** Time and chance, as arguments so that tests are exact. */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number
  /** Resolves after the time or when the signal aborts, whichever is first. Never rejects. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>
  /** A number in [0, 1). */
  random(): number
}

export interface DeliverOptions {
  /** One attempt with the same bytes each time. */
  readonly attempt: (timeoutMs: number, signal: AbortSignal) => Promise<Outcome>
  /** When to give up, on the clock's scale. */
  readonly deadlineAtMs: number
  /** Budget of one attempt. */
  readonly timeoutMs: number
  /** Any number where absent. 1 where a spool takes over what fails. */
  readonly maxAttempts?: number
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onRetry: (retry: Retry) => void
}

/**
 * Attempts until PagerDuty accepts or refuses, the deadline passes or the signal aborts: the only retry loop of the
 * program. The first attempt is always made. A wait that would cross the deadline is not slept, and no attempt may
 * run past it.
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
