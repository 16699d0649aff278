import type { KeyRequest } from './engine.ts'
import { dropExpired, wantedOf, type KeyMirror } from './key-mirror.ts'
import { POLL_MS, type MirrorOptions, type Shelf } from './mirror-shelf.ts'

/** What to ask the server about, and when. */
export interface Asking {
  /** Something of these keys is due. Returns those that this relay does not own. */
  noteDue(keyIds: Iterable<number>): number[]
  /** Keys to take up to `room` events of, in all; those that have waited for longest first. */
  requests(room: number): KeyRequest[]
  /** Keys that the server should be asked about, but the worker has no room for their events: it may have by now. */
  unwanted(): Set<number>
  /** When there is something to ask next. */
  askAtMs(): number
}

/** How many events of a key are asked for beyond its share. */
const BEYOND_SHARE = 1

/**
 * A relay may own 10,000 keys, and asks about them many times a second: nothing here sorts them. Each key that is asked about goes
 * behind the others instead, so the first ones are those that have waited for longest.
 */
export function createAsking({ keys, keyOf, isSafe }: Shelf, { now }: Pick<MirrorOptions, 'now'>): Asking {
  const isReady = (key: KeyMirror, nowMs: number): boolean => key.askAtMs <= nowMs && isSafe(key, nowMs)
  const dropAllExpired = (nowMs: number): void => {
    for (const [id, keyId] of keyOf) {
      const key = keys.get(keyId)
      if (key !== undefined) dropExpired(key, nowMs)
      if (key?.held.has(id) !== true) keyOf.delete(id)
    }
  }
  const choose = (room: number, nowMs: number): KeyMirror[] => {
    const chosen: KeyMirror[] = []
    for (const key of keys.values()) {
      if (chosen.length >= room) break
      if (isReady(key, nowMs) && wantedOf(key) > 0) chosen.push(key)
    }
    for (const key of chosen) {
      keys.delete(key.owned.keyId)
      keys.set(key.owned.keyId, key)
    }
    return chosen
  }
  return {
    noteDue: (keyIds) => {
      const nowMs = now()
      return [...keyIds].filter((keyId) => {
        const key = keys.get(keyId)
        if (key === undefined) return true
        Object.assign(key, { askAtMs: Math.min(key.askAtMs, nowMs), isMore: true, idleSinceMs: undefined })
        return false
      })
    },
    requests: (room) => {
      const nowMs = now()
      dropAllExpired(nowMs)
      const chosen = choose(room, nowMs)
      // Each key's turn is the same, so more than its share would be looked at for nothing; if others have less, it is asked again.
      const share = Math.ceil(room / chosen.length) + BEYOND_SHARE
      return chosen.map((key) => ({ ...key.owned, most: Math.min(wantedOf(key), share), wants: key.wants }))
    },
    unwanted: () => {
      const nowMs = now()
      dropAllExpired(nowMs)
      const full = new Set<number>()
      for (const key of keys.values()) {
        if (!isReady(key, nowMs) || wantedOf(key) > 0) continue
        key.askAtMs = nowMs + POLL_MS
        full.add(key.owned.keyId)
      }
      return full
    },
    askAtMs: () => {
      const nowMs = now()
      let first = Infinity
      for (const key of keys.values()) if (key.askAtMs < first && isSafe(key, nowMs)) first = key.askAtMs
      return first
    },
  }
}
