import { randomInt } from 'node:crypto'

/** Hands out ids that were reserved in blocks. */
export interface ReservedIds {
  /** Undefined if none are left: then the next block is being reserved, or the disk does not work. */
  take(count: number): readonly number[] | undefined
  /** Reserves a block if few are left. */
  refill(): Promise<void>
}

const BLOCK = 8192
/** Ids from a millisecond to the next: far more than are used in it. */
const IDS_PER_MS = 1024
/** Ids of more than an hour: two processes that use a million each have the same ones in one case of two thousand. */
const MAX_SKIPPED = 2 ** 32

/**
 * @param reserve reserves a block and returns its first id, which is the least one or a later one, and so many more are skipped
 * before it; undefined if that fails
 * @param nowMs when the process starts
 */
export function createReservedIds(
  reserve: (count: number, least: number, skip: number) => Promise<number | undefined>,
  nowMs: number,
): ReservedIds {
  let next = 0
  let end = 0
  let refilling: Promise<void> | undefined
  const reserveBlock = async (): Promise<void> => {
    // Copies of one spool, as of a cloned volume, have the same origin. If they continued with the same ids, the fleet would take
    // an event of one for an event of the other, and lose it. So every process begins at a random distance.
    const isFirst = end === 0
    const first = await (isFirst
      ? reserve(BLOCK, nowMs * IDS_PER_MS, randomInt(MAX_SKIPPED))
      : reserve(BLOCK, 0, 0))
    if (first === undefined) return
    next = first // the rest of the previous block is never used
    end = first + BLOCK
  }
  const refill = async (): Promise<void> => {
    if (end - next > BLOCK / 2) return
    await (refilling ??= reserveBlock().finally(() => (refilling = undefined)))
  }
  return {
    refill,
    take: (count) => {
      void refill()
      if (end - next < count) return undefined
      const first = next
      next += count
      return Array.from({ length: count }, (_, index) => first + index)
    },
  }
}
