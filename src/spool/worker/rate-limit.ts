const MINUTE_MS = 60_000

/** How often a key may be used: a window of one minute that slides along. */
export interface Pace {
  /**
   * How many attempts may begin now.
   * @param reserve how many are kept for others
   */
  left(nowMs: number, reserve?: number): number
  /** When the next one may begin; now if one may. */
  nextAtMs(nowMs: number, reserve?: number): number
  /** Whether there was no attempt in the last minute. */
  isUnused(nowMs: number): boolean
  /** An attempt begins, or began earlier. */
  use(atMs: number): void
}

/** A pace of so many attempts a minute; Infinity for any number. */
export function createPace(ratePerMinute: number): Pace {
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
