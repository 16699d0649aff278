/** Attempts in flight at once, of all keys: each one holds an event's bytes and a connection. */
export const MAX_IN_FLIGHT = 256

/** The attempts in flight, of all keys. */
export interface Running {
  /** How many more may start. */
  readonly room: () => number
  /** Resolves with the attempt's result, once it no longer counts. */
  readonly add: <T>(attempt: Promise<T>) => Promise<T>
  /** Resolves when none are left, including any that start while waiting. */
  readonly settled: () => Promise<void>
}

/** Counts attempts; there are none yet. */
export function createRunning(): Running {
  let count = 0
  let emptied: PromiseWithResolvers<void> | undefined
  const settled = async (): Promise<void> => {
    if (count === 0) return
    emptied ??= Promise.withResolvers()
    await emptied.promise
    await settled()
  }
  return {
    room: () => MAX_IN_FLIGHT - count,
    add: async (attempt) => {
      count += 1
      const result = await attempt
      count -= 1
      if (count === 0) {
        emptied?.resolve()
        emptied = undefined
      }
      return result
    },
    settled,
  }
}
