/** How long to wait between attempts, in milliseconds. */
export interface Backoff {
  /** The window after the first attempt. */
  readonly firstMs: number
  /** Largest window. */
  readonly ceilingMs: number
}

const BACKOFF: Backoff = { firstMs: 1000, ceilingMs: 60_000 }

/**
 * The wait before the next attempt: full jitter over a window that doubles, on top of what the server asked for, so that
 * many senders that were given the same wait do not return at the same moment.
 * @param attempts attempts already made, 1 or more
 * @param afterMs  what the server asked for
 * @param random   a number in [0, 1), an argument so that tests are exact
 */
export function delayMs(
  attempts: number,
  afterMs: number | undefined,
  random: number,
  backoff = BACKOFF,
): number {
  const windowMs = Math.min(backoff.ceilingMs, backoff.firstMs * 2 ** (attempts - 1))
  return afterMs === undefined ? random * windowMs : afterMs + random * Math.min(windowMs, backoff.firstMs)
}
