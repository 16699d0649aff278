import type { SpoolQueue } from '../spool.ts'
import { createKeyState, isAtRest, type KeyState } from './key-state.ts'

/** How long a pace remembers. */
const PACE_MS = 60_000

/** What is known of each key that had something to deliver lately. */
export interface KeyStates {
  /** Undefined where the spool has no such key. */
  get(keyId: number): KeyState | undefined
  /** Forgets everything but what each key has used of its rate in the last minute, as the spool knows it. */
  restart(): void
  /** Forgets keys that are at rest. */
  tidy(): void
}

/** @param ratePerMinute attempts of each key */
export function createKeyStates(queue: SpoolQueue, ratePerMinute: number): KeyStates {
  const states = new Map<number, KeyState>()
  const get = (keyId: number): KeyState | undefined => {
    const known = states.get(keyId)
    if (known !== undefined) return known
    const key = queue.key(keyId)
    if (key === undefined) return undefined
    const state = createKeyState(keyId, key, ratePerMinute)
    states.set(keyId, state)
    return state
  }
  return {
    get,
    restart: () => {
      states.clear()
      const nowMs = queue.now()
      const deliveries = queue.deliveriesSince(nowMs - PACE_MS).filter(({ atMs }) => atMs <= nowMs)
      for (const { keyId, atMs } of deliveries.toSorted((a, b) => a.atMs - b.atMs)) get(keyId)?.pace.use(atMs)
    },
    tidy: () => {
      const nowMs = queue.now()
      for (const [keyId, state] of states) if (isAtRest(state, nowMs)) states.delete(keyId)
    },
  }
}
