import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../core/failure.ts'

/** Often enough for a wait of a minute, seldom enough for the REST API's limits. */
const MAX_POLL_MS = 15_000
const MIN_POLL_MS = 500
const POLLS_A_WAIT = 10

export interface Polling<T> {
  readonly lookOnce: () => Promise<T>
  /** Whether the result of a look ends the wait. */
  readonly isEnough: (found: T) => boolean
  readonly waitMs: number
  /** When the wait is over, on the scale of `nowMs`. */
  readonly endAtMs: number
  /** Called after each look that is followed by another. */
  readonly onWait: (result: T | Failure, leftMs: number) => void
  readonly signal: AbortSignal
  /** Default: `performance.now()`. */
  readonly nowMs?: () => number
  /** Resolves after the time or when the signal aborts. Default: a timer. */
  readonly pause?: (durationMs: number, signal: AbortSignal) => Promise<void>
}

/**
 * Looks every 15 s, or more often in a short wait, until a look is enough or the time is over. While there is time, a look
 * that failed is followed by another.
 * @returns the result of the last look; a Failure of kind `undelivered` if that one failed
 * @throws Failure of any other kind, which another look cannot fix, or if the signal aborts
 */
export async function poll<T>({
  lookOnce,
  isEnough,
  waitMs,
  endAtMs,
  onWait,
  signal,
  nowMs = () => performance.now(),
  pause = async (durationMs) => await sleep(durationMs, undefined, { signal }).catch(() => undefined),
}: Polling<T>): Promise<T | Failure> {
  const pollMs = Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, waitMs / POLLS_A_WAIT))
  for (;;) {
    const result = await lookOnce().catch(toTransientFailure)
    if (signal.aborted) throw new Failure('undelivered', 'interrupted')
    const leftMs = endAtMs - nowMs()
    if (leftMs <= 0 || (!(result instanceof Failure) && isEnough(result))) return result
    onWait(result, leftMs)
    await pause(Math.min(pollMs, leftMs), signal)
  }
}

/** A failure that may pass; any other is rethrown. */
function toTransientFailure(error: unknown): Failure {
  if (error instanceof Failure && error.kind === 'undelivered') return error
  throw error
}
