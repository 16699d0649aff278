const MINUTE_MS = 60_000

/** The rate limit of one key, over a sliding window of one minute. */
export interface RateLimit {
  /**
   * How many attempts may start now.
   * @param reserve how many to leave for others
   */
  left(nowMs: number, reserve?: number): number
  /** When the next attempt may start; now if it may now. */
  nextAtMs(nowMs: number, reserve?: number): number
  /** Whether there was no attempt in the last minute. */
  isUnused(nowMs: number): boolean
  /** Records an attempt, also an earlier one. */
  use(atMs: number): void
}

/** A limit of attempts per minute; Infinity for none. */
export function createRateLimit(ratePerMinute: number): RateLimit {
  if (ratePerMinute === Number.POSITIVE_INFINITY) {
    return {
      left: () => ratePerMinute,
      nextAtMs: (nowMs) => nowMs,
      isUnused: () => true,
      use: () => undefined,
    }
  }
  let used: number[] = []
  const forget = (nowMs: number): void => {
    const first = used.findIndex((atMs) => atMs > nowMs - MINUTE_MS)
    if (first !== 0) used = first === -1 ? [] : used.slice(first)
  }
  return {
    left: (nowMs, reserve = 0) => {
      forget(nowMs)
      return Math.max(0, ratePerMinute - reserve - used.length)
    },
    nextAtMs: (nowMs, reserve = 0) => {
      forget(nowMs)
      const blocking = used[used.length - ratePerMinute + reserve]
      return blocking === undefined ? nowMs : blocking + MINUTE_MS
    },
    isUnused: (nowMs) => {
      forget(nowMs)
      return used.length === 0
    },
    use: (atMs) => {
      const isLater = atMs >= (used.at(-1) ?? 0)
      used.push(atMs)
      if (!isLater) used.sort((a, b) => a - b)
    },
  }
}
