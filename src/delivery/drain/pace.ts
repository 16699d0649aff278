const MINUTE_MS = 60_000

/** How often a key may be used: a window of one minute that slides along. */
export interface Pace {
  /** How many attempts may begin now. */
  left(nowMs: number): number
  /** When the next one may begin; now where one may. */
  nextAtMs(nowMs: number): number
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
    left: (nowMs) => {
      forget(nowMs)
      return Math.max(0, ratePerMinute - used.length)
    },
    nextAtMs: (nowMs) => {
      forget(nowMs)
      const blocking = used[used.length - ratePerMinute]
      return blocking === undefined ? nowMs : blocking + MINUTE_MS
    },
    isUnused: (nowMs) => {
      forget(nowMs)
      return used.length === 0
    },
    use: (atMs) => void used.push(atMs),
  }
}
