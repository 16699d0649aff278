import { randomFillSync } from 'node:crypto'
import { closeSync, lstatSync, openSync, rmSync, statfsSync, writeSync, type Stats } from 'node:fs'

/*
 * A file that occupies disk space and is removed when results cannot be written: even if something else fills the disk or
 * the quota, accepted events can be delivered and removed. New events must not use its space.
 */

/** The reserve of a spool. */
export interface Reserve {
  /** Its size; the store's log should not become larger. */
  readonly bytes: number
  /**
   * Creates it if there is space. Returns false only if there is no space: other problems with the directory are reported
   * when something is written to it.
   */
  ensure(): boolean
  /** Removes it. @returns whether that released any space */
  release(): boolean
}

const MOST_BYTES = 4 << 20
const LEAST_BYTES = 64 << 10
/** Its share of a small file system. */
const SHARE = 16
/** Larger than the units in which file systems compress or deduplicate. */
const BLOCK_BYTES = 128 << 10
/** How long to trust the last check. */
const BELIEVED_MS = 100

/** A reserve in a file that may not exist yet. */
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
      if (look(path) === undefined) return false
      remove(path)
      return look(path) === undefined && !believe(false)
    },
  }
}

function sizeFor(directory: string): number {
  try {
    const { blocks, bsize } = statfsSync(directory)
    const share = Math.floor((blocks * bsize) / SHARE / BLOCK_BYTES) * BLOCK_BYTES
    return Math.max(LEAST_BYTES, Math.min(MOST_BYTES, share))
  } catch {
    return MOST_BYTES // the directory cannot be created or examined, which is reported elsewhere
  }
}

/** Undefined if there is none, or its directory cannot be searched, which is reported elsewhere. */
function look(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}

function isWhole(path: string, bytes: number, isMade: boolean): boolean {
  const stats = look(path)
  if (stats === undefined || !stats.isFile() || stats.size < bytes) return false
  // After a crash, a file may lack its blocks, which some file systems count with a delay.
  return isMade || stats.blocks * 512 >= bytes
}

/** Errors of a full disk, a full quota and a limit on the size of files. */
const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/**
 * Always makes a new file: whatever has its name may be a pipe, which would block, or a link to a file of somebody else.
 * @returns false if there is no space for it
 */
function make(path: string, bytes: number): boolean {
  remove(path)
  try {
    const file = openSync(path, 'wx', 0o600)
    try {
      const block = randomFillSync(Buffer.allocUnsafe(Math.min(bytes, BLOCK_BYTES)))
      for (let at = 0; at < bytes;) at += writeSync(file, block, 0, Math.min(block.length, bytes - at), at)
    } finally {
      closeSync(file)
    }
    return true
  } catch (error) {
    remove(path) // a part of it would only waste space
    return !(error instanceof Error && 'code' in error && NO_SPACE.has(String(error.code)))
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // a read-only file system keeps it
  }
}
