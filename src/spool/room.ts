import { statfsSync } from 'node:fs'
import { LIMITS } from '../core/event.ts'
import type { Reserve } from './reserve.ts'

/** Whether there is room for new events, of any size alike, besides what is reserved for results. */
export interface Room {
  /** @param bytes what is to be written; 0 to look only */
  isLeft(bytes: number): boolean
}

export interface RoomOptions {
  readonly directory: string
  readonly reserve: Reserve
  /** Bytes within the store's file that nothing is kept in; 0 if that cannot be told. */
  readonly freeBytes: () => number
}

/** What the largest event takes, once in the log of SQLite and once in its file, twice over. */
const MARGIN_BYTES = 4 * LIMITS.bodyBytes
/** Its share of a small file system. */
const SHARE = 8
/** Part of the margin that has to be on the disk itself, for the log. */
const LOG_PART = 4
/** How long, and for how much, a look at the file system is believed. */
const BELIEVED_MS = 100
const BELIEVED_BYTES = 64 << 10

/** Looks at the file system that a directory is on. Where that cannot be looked at, only the reserve matters. */
export function createRoom({ directory, reserve, freeBytes }: RoomOptions): Room {
  let believedUntilMs = 0
  let believedBytes = 0
  const look = (): boolean => {
    if (!reserve.ensure()) return false
    const disk = lookAtDisk(directory)
    if (disk === undefined || disk.freeBytes >= disk.marginBytes) return true
    return disk.freeBytes >= disk.marginBytes / LOG_PART && disk.freeBytes + freeBytes() >= disk.marginBytes
  }
  return {
    isLeft: (bytes) => {
      believedBytes -= bytes
      if (performance.now() < believedUntilMs && believedBytes > 0) return true
      if (!look()) {
        believedUntilMs = 0
        return false
      }
      believedUntilMs = performance.now() + BELIEVED_MS
      believedBytes = BELIEVED_BYTES
      return true
    },
  }
}

function lookAtDisk(directory: string): { freeBytes: number; marginBytes: number } | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(directory)
    return { freeBytes: bavail * bsize, marginBytes: Math.min(MARGIN_BYTES, (blocks * bsize) / SHARE) }
  } catch {
    return undefined
  }
}
