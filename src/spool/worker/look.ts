import type { Event } from '../../core/event.ts'
import type { Due, DueEvent, DueOptions, SpoolQueue } from '../spool.ts'
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
    for (const keyId of state.keys.keys()) {
      const left = (room: number): number => Math.max(0, Math.min(room, most) - events.length)
      const due = dueInOrder(
        queue,
        state,
        { keyId, kind },
        {
          nowMs,
          fresh: left(roomOf(state, classes.fresh, nowMs)),
          tried: left(roomOf(state, classes.tried, nowMs)),
          limit: left(roomOfKind(state, kind, nowMs)),
          exclude: state.inFlight,
          isNewestFirst: isProbing(state, kind) && state.isNewestNext,
        },
      )
      if (isProbing(state, kind) && due.events.some(isFresh)) state.isNewestNext = !state.isNewestNext
      events.push(...due.events)
      agains.push(due.nextAtMs)
      if (!due.isMore) continue
      state.mayHaveMore = true
      agains.push(roomAtMs(state, classes.fresh, nowMs), roomAtMs(state, classes.tried, nowMs))
      if (events.length >= most) agains.push(0)
    }
  }
  const known = agains.filter((atMs) => atMs !== undefined)
  return { events, againAtMs: known.length === 0 ? undefined : Math.min(...known) }
}

/** How often other events are looked for instead of those that have to wait. */
const MAX_LOOKS = 10

/** What is due of one key in the spool, without what waits behind an event of its alert under another name of the key. */
function dueInOrder(
  queue: SpoolQueue,
  { keys }: KeyState,
  { keyId, kind }: { readonly keyId: number; readonly kind: Event['kind'] },
  options: DueOptions,
): Due {
  const due = queue.due(keyId, kind, options)
  if (keys.size === 1 || kind === 'change') return due
  const others = [...keys.keys()].filter((other) => other !== keyId)
  const isBehind = ({ id, dedupKey }: DueEvent): boolean =>
    dedupKey !== undefined && others.some((other) => queue.hasEarlier(other, dedupKey, id))
  const exclude = new Set(options.exclude)
  let found = due
  for (let looks = 1; looks < MAX_LOOKS && found.events.some(isBehind); looks++) {
    for (const event of found.events.filter(isBehind)) exclude.add(event.id)
    found = queue.due(keyId, kind, { ...options, exclude })
  }
  const events = found.events.filter((event) => !isBehind(event))
  return { ...found, events, isMore: found.isMore || exclude.size > options.exclude.size }
}

function isFresh({ attempts }: DueEvent): boolean {
  return attempts === 0
}
