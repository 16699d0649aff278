import { statfsSync } from 'node:fs'
import { LIMITS } from '../core/event.ts'
import type { Reserve } from './reserve.ts'

export const NO_ROOM = 'the spool’s disk is full'

/** Knows whether there is room for new events, besides the space that is reserved for results. */
export interface Room {
  /** @param bytes how much will be written; 0 only to check */
  isLeft(bytes: number): boolean
}

export interface RoomOptions {
  readonly directory: string
  readonly reserve: Reserve
  /** Unused bytes in the store's file; 0 if that is not known. */
  readonly freeBytes: () => number
}

/** Twice what the largest event needs in SQLite's log and in its file. */
const MARGIN_BYTES = 4 * LIMITS.bodyBytes
/** Its share of a small file system. */
const SHARE = 8
/** Part of the margin that has to be on the disk itself, for the log. */
const LOG_PART = 4
/** How long to trust a check of the file system, and for how many bytes. */
const BELIEVED_MS = 100
const BELIEVED_BYTES = 64 << 10

/** Checks the file system of a directory. If that is not possible, only the reserve counts. */
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
