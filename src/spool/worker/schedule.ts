/** Times are rounded up to this, so that many keys are handled together. */
const GRAIN_MS = 20

/** Which keys to look at now, and which at what time. It is cheap for any number of keys. */
export interface Schedule {
  /** Schedules the key for as soon as possible. */
  addNow(keyId: number): void
  /** Schedules the key for that time, unless it is scheduled for an earlier one. */
  addAt(keyId: number, atMs: number): void
  /**
   * Takes up to `limit` of the keys whose time has come, those that wait longest first. If the work throws, they stay
   * scheduled.
   */
  take(nowMs: number, limit: number, work: (keyIds: readonly number[]) => void): void
  /** The time of the next key; undefined if none is scheduled. */
  nextAtMs(): number | undefined
  clear(): void
}

/** An empty schedule. */
export function createSchedule(): Schedule {
  const now = new Set<number>()
  const timed = new Map<number, number>()
  let earliestMs = Number.POSITIVE_INFINITY

  const comeDue = (nowMs: number): void => {
    earliestMs = Number.POSITIVE_INFINITY
    for (const [keyId, atMs] of timed) {
      if (atMs > nowMs) earliestMs = Math.min(earliestMs, atMs)
      else {
        timed.delete(keyId)
        now.add(keyId)
      }
    }
  }
  return {
    addNow: (keyId) => {
      timed.delete(keyId)
      now.add(keyId)
    },
    addAt: (keyId, wantedAtMs) => {
      const atMs = Math.ceil(wantedAtMs / GRAIN_MS) * GRAIN_MS
      if (now.has(keyId) || (timed.get(keyId) ?? Number.POSITIVE_INFINITY) <= atMs) return
      timed.set(keyId, atMs)
      earliestMs = Math.min(earliestMs, atMs)
    },
    take: (nowMs, limit, work) => {
      if (earliestMs <= nowMs) comeDue(nowMs)
      const taken: number[] = []
      for (const keyId of now) {
        if (taken.length >= limit) break
        taken.push(keyId)
        now.delete(keyId)
      }
      try {
        work(taken)
      } catch (error) {
        for (const keyId of taken) now.add(keyId)
        throw error
      }
    },
    nextAtMs: () => (now.size > 0 ? 0 : timed.size > 0 ? earliestMs : undefined),
    clear: () => {
      now.clear()
      timed.clear()
      earliestMs = Number.POSITIVE_INFINITY
    },
  }
}
