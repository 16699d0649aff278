import type { Due, DueEvent, SpoolQueue } from '../spool.ts'
import { roomAtMs, roomOf, type KeyState } from './key-state.ts'

/** What a look at a key has found. */
export interface Found {
  /** To be attempted now. */
  readonly events: readonly DueEvent[]
  /**
   * When to look again, on the spool's clock: 0 as soon as there is room, undefined where only the end of one of the key's
   * own attempts or a new event gives reason to.
   */
  readonly againAtMs: number | undefined
}

const NOTHING: Due = { events: [], nextAtMs: undefined }

/**
 * Looks for events of a key that may be attempted now, and notes whether there may be more.
 * @param most for how many attempts there is room, whatever their key
 */
export function lookForDue(queue: SpoolQueue, state: KeyState, nowMs: number, most: number): Found {
  const ownRoom = roomOf(state, nowMs)
  const room = Math.min(ownRoom, most)
  const options = { nowMs, limit: room, exclude: state.inFlight, freshFirst: state.failures > 0 }
  const { events, nextAtMs } = room > 0 ? queue.due(state.keyId, options) : NOTHING
  state.mayHaveMore = events.length >= room
  if (!state.mayHaveMore) return { events, againAtMs: nextAtMs }
  return { events, againAtMs: room < ownRoom ? 0 : roomAtMs(state, nowMs) }
}
