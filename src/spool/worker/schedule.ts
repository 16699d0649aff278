/** Times are rounded up to this, so that many keys are looked at together. */
const GRAIN_MS = 20

/** Which keys are to be looked at now, and which at a time. Any number of keys costs little. */
export interface Schedule {
  /** Looks at the key as soon as possible. */
  addNow(keyId: number): void
  /** Looks at the key then, unless it is looked at earlier. */
  addAt(keyId: number, atMs: number): void
  /**
   * Takes up to `limit` of the keys whose time has come, those that wait longest first. They stay on the schedule where what
   * is done with them throws.
   */
  take(nowMs: number, limit: number, work: (keyIds: readonly number[]) => void): void
  /** When the next key's time comes; undefined where none waits. */
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
