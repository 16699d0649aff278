import { randomFillSync } from 'node:crypto'
import { closeSync, fchmodSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'

/*
 * A file that takes space from the disk while there is some, and gives it back when results cannot be written: whatever
 * else fills the disk or uses up the quota, what was accepted can be delivered and forgotten. New events may not have it.
 */

/** The reserve of a spool. */
export interface Reserve {
  /** How large it is; the log of the store should not become larger. */
  readonly bytes: number
  /**
   * Whether it is there, which it is not for want of space only: what else is wrong with the directory is told when
   * something is written to it. It is made again as soon as there is space for it.
   */
  ensure(): boolean
  /** Gives its space back. @returns whether there was any */
  release(): boolean
}

const MOST_BYTES = 4 << 20
const LEAST_BYTES = 64 << 10
/** Its share of a small file system. */
const SHARE = 16
/** Larger than what file systems compress or deduplicate at once. */
const BLOCK_BYTES = 128 << 10
/** How long it is believed to be there, or that there is no space for it. */
const BELIEVED_MS = 100

/** The reserve in a file, which nobody has to have made yet. */
export function createReserve(directory: string, path: string): Reserve {
  let bytes: number | undefined
  let isMade = false
  let known: { readonly isThere: boolean; readonly untilMs: number } | undefined
  const size = (): number => (bytes ??= sizeFor(directory))
  const believe = (isThere: boolean): boolean => {
    known = { isThere, untilMs: performance.now() + BELIEVED_MS }
    return isThere
  }
  return {
    get bytes() {
      return size()
    },
    ensure: () => {
      if (known !== undefined && performance.now() < known.untilMs) return known.isThere
      if (isWhole(path, size(), isMade)) return believe(true)
      const isEnough = make(path, size())
      isMade = isWhole(path, size(), true)
      return isMade || !isEnough ? believe(isMade) : true
    },
    release: () => {
      const isThere = (): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined
      if (!isThere()) return false
      remove(path)
      return !isThere() && !believe(false)
    },
  }
}

function sizeFor(directory: string): number {
  try {
    const { blocks, bsize } = statfsSync(directory)
    const share = Math.floor((blocks * bsize) / SHARE / BLOCK_BYTES) * BLOCK_BYTES
    return Math.max(LEAST_BYTES, Math.min(MOST_BYTES, share))
  } catch {
    return MOST_BYTES // the directory cannot be made or looked at, which is told elsewhere
  }
}

function isWhole(path: string, bytes: number, isMade: boolean): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined || stats.size < bytes) return false
  // After a crash a file may be there without its blocks, which some file systems count only after a while.
  return isMade || stats.blocks * 512 >= bytes
}

/** What is said of a full disk or quota, and of a limit on the size of files, by errno. */
const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** @returns false if there is no space for it */
function make(path: string, bytes: number): boolean {
  try {
    const file = openSync(path, 'w', 0o600)
    try {
      fchmodSync(file, 0o600)
      const block = randomFillSync(Buffer.allocUnsafe(Math.min(bytes, BLOCK_BYTES)))
      for (let at = 0; at < bytes;) at += writeSync(file, block, 0, Math.min(block.length, bytes - at), at)
    } finally {
      closeSync(file)
    }
    return true
  } catch (error) {
    remove(path) // a part of it would only take what others need
    return !(error instanceof Error && 'code' in error && NO_SPACE.has(String(error.code)))
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // on a read-only file system it stays
  }
}
