/** Which events have changed lately, for viewers who lost the connection and come back. */
export interface ChangeMemory {
  /** One more step, in which these events have changed. */
  add(ids: readonly number[]): void
  /** One more step whose changes are unknown. */
  forget(): void
  /** The number of the last step. */
  sequence(): number
  /** What has changed since a step, in order; undefined if that is not known. */
  since(sequence: number): number[] | undefined
}

/** Changes that are remembered. */
const REMEMBERED = 1000

/** Nothing has changed yet. */
export function createChangeMemory(): ChangeMemory {
  let entries: { readonly sequence: number; readonly id: number }[] = []
  let last = 0
  let forgotten = 0
  return {
    add: (ids) => {
      last++
      for (const id of ids.slice(-REMEMBERED)) entries.push({ sequence: last, id })
      if (ids.length > REMEMBERED) forgotten = last
      if (entries.length <= 2 * REMEMBERED) return
      forgotten = Math.max(forgotten, entries.at(-REMEMBERED - 1)?.sequence ?? 0)
      entries = entries.slice(-REMEMBERED)
    },
    forget: () => {
      forgotten = ++last
      entries = []
    },
    sequence: () => last,
    since: (sequence) => {
      if (!Number.isSafeInteger(sequence) || sequence < forgotten || sequence > last) return undefined
      const ids = entries.filter((entry) => entry.sequence > sequence).map(({ id }) => id)
      return [...new Set(ids.toReversed())].toReversed()
    },
  }
}
