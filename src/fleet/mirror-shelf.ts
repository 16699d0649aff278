import type { KeyMirror } from './key-mirror.ts'
import { createOrphans, type Orphans } from './orphans.ts'

/** Of a mirror. */
export interface MirrorOptions {
  readonly now: () => number
  /** How long one attempt may take. */
  readonly timeoutMs: number
  /** Converts the server's time of an event, given the server's time of the answer. */
  readonly toLocalMs: (serverMs: number, answeredMs: number) => number
}

/** A permit that is not used within this time is dropped, so that no attempt comes after its permit has expired. */
export const PERMIT_MS = 2000
/** How often to ask about owned keys without news. */
export const POLL_MS = 500

/** What the parts of a mirror share. */
export interface Shelf {
  readonly keys: Map<number, KeyMirror>
  /** The key of each event that is held, or was until its permit expired. */
  readonly keyOf: Map<number, number>
  /** Events of lost keys whose attempts are not over. */
  readonly orphans: Orphans
  /** Whether an attempt may begin now. */
  readonly isSafe: (key: KeyMirror, nowMs: number) => boolean
  readonly drop: (keyId: number) => void
}

/** Owns nothing yet. */
export function createShelf({ now, timeoutMs }: MirrorOptions): Shelf {
  const keys = new Map<number, KeyMirror>()
  const keyOf = new Map<number, number>()
  const orphans = createOrphans(now, PERMIT_MS + 2 * timeoutMs)
  return {
    keys,
    keyOf,
    orphans,
    isSafe: ({ untilMs }, nowMs) => untilMs - nowMs > timeoutMs,
    drop: (keyId) => {
      for (const held of keys.get(keyId)?.held.values() ?? []) {
        keyOf.delete(held.event.id)
        if (held.state !== 'waiting') orphans.add(held)
      }
      keys.delete(keyId)
    },
  }
}
