import type { DueEvent, SpoolQueue } from '../spool.ts'
import { isProbing, roomAtMs, roomOf, roomOfKind, type KeyState } from './key-state.ts'

/** What a look at a key has found. */
export interface Found {
  /** To be attempted now. */
  readonly events: readonly DueEvent[]
  /**
   * When to look again, on the spool's clock: 0 as soon as there is room, undefined if only the end of one of the key's own
   * attempts or a new event gives reason to.
   */
  readonly againAtMs: number | undefined
}

/**
 * Looks for events of a key that may be attempted now, alerts before change events, and notes whether there may be more.
 * @param most for how many attempts there is room, whatever their key
 */
export function lookForDue(queue: SpoolQueue, state: KeyState, nowMs: number, most: number): Found {
  const events: DueEvent[] = []
  const agains: (number | undefined)[] = []
  state.mayHaveMore = false
  for (const kind of ['alert', 'change'] as const) {
    const classes = { fresh: { kind, lane: 'fresh' }, tried: { kind, lane: 'tried' } } as const
    const left = (room: number): number => Math.max(0, Math.min(room, most) - events.length)
    const due = queue.due(state.keyId, kind, {
      nowMs,
      fresh: left(roomOf(state, classes.fresh, nowMs)),
      tried: left(roomOf(state, classes.tried, nowMs)),
      limit: left(roomOfKind(state, kind, nowMs)),
      exclude: state.inFlight,
      isNewestFirst: isProbing(state, kind) && state.isNewestNext,
    })
    if (isProbing(state, kind) && due.events.some(isFresh)) state.isNewestNext = !state.isNewestNext
    events.push(...due.events)
    agains.push(due.nextAtMs)
    if (!due.isMore) continue
    state.mayHaveMore = true
    agains.push(roomAtMs(state, classes.fresh, nowMs), roomAtMs(state, classes.tried, nowMs))
    if (events.length >= most) agains.push(0)
  }
  const known = agains.filter((atMs) => atMs !== undefined)
  return { events, againAtMs: known.length === 0 ? undefined : Math.min(...known) }
}

function isFresh({ attempts }: DueEvent): boolean {
  return attempts === 0
}
