import type { DueEvent } from '../spool.ts'
import { classOf, isProbing, roomAtMs, roomOf, type KeyState } from './key-state.ts'
import type { KeyStates } from './key-states.ts'
import { MAX_IN_FLIGHT, type Running } from './running.ts'
import type { Schedule } from './schedule.ts'

/** Events that were just added, until the next dispatch. */
export interface Added {
  /** Keeps as many as may be in flight; the keys of others are looked at. */
  offer(events: readonly DueEvent[]): void
  /** Starts those that nothing else has to precede; the keys of the others are looked at. */
  start(nowMs: number): void
  clear(): void
}

export interface AddedParts {
  readonly schedule: Schedule
  readonly states: Pick<KeyStates, 'known'>
  readonly running: Running
  readonly startOne: (state: KeyState, event: DueEvent) => Promise<void>
}

/** No events yet. */
export function createAdded({ schedule, states, running, startOne }: AddedParts): Added {
  let events: DueEvent[] = []
  const lookLater = (state: KeyState | undefined, event: DueEvent, nowMs: number): void => {
    if (state !== undefined) state.mayHaveMore = true
    // Until a pause of the key is over, a search would find nothing more that may start.
    const atMs = state && roomAtMs(state, classOf(event), nowMs)
    if (atMs === undefined) schedule.addNow(event.keyId)
    else schedule.addAt(event.keyId, atMs)
  }
  return {
    offer: (more) => {
      for (const event of more)
        if (events.length < MAX_IN_FLIGHT) events.push(event)
        else schedule.addNow(event.keyId)
    },
    start: (nowMs) => {
      const added = events
      events = []
      const isAnyWaiting = (schedule.nextAtMs() ?? Infinity) <= nowMs
      for (const event of added) {
        const state = states.known(event.keyId)
        const isRoom = !isAnyWaiting && running.room() > 0
        if (isRoom && state !== undefined && isNext(state, event, nowMs)) void startOne(state, event)
        else lookLater(state, event, nowMs)
      }
    },
    clear: () => {
      events = []
    },
  }
}

/** Whether an event that was never tried is what a search would find: no other of its key is due, and nothing holds it back. */
function isNext(state: KeyState, event: DueEvent, nowMs: number): boolean {
  if (state.mayHaveMore || state.keys.size > 1 || isProbing(state, event.kind)) return false
  return roomOf(state, classOf(event), nowMs) > 0
}
