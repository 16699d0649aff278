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
const SPREAD_MS = 1000

/**
 * The least id to reserve at that time. Copies of one spool, as of a cloned volume, have the same origin and would otherwise
 * continue with the same ids: the fleet would take an event of one for an event of the other, and lose it.
 */
export function leastIdAt(nowMs: number): number {
  return nowMs * IDS_PER_MS + randomInt(SPREAD_MS * IDS_PER_MS)
}

/** @param reserve reserves a block and returns its first id; undefined if that fails */
export function createReservedIds(reserve: (count: number) => Promise<number | undefined>): ReservedIds {
  let next = 0
  let end = 0
  let refilling: Promise<void> | undefined
  const reserveBlock = async (): Promise<void> => {
    const first = await reserve(BLOCK)
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
