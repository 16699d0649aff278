import type { Event } from '../core/event.ts'
import type { Due, DueOptions } from '../spool/spool.ts'
import type { OwnedKey, TakenEvent } from './engine.ts'

/** An event that this relay has taken, until its result is written. */
export interface Held {
  readonly event: TakenEvent
  /** Its permit counts until then; later it has to be taken again. */
  readonly permittedUntilMs: number
  /** `begun`: the worker has it. `settling`: its result is known, and not written yet. */
  state: 'waiting' | 'begun' | 'settling'
}

/** How many events of one kind the worker could begin. */
export type Want = Pick<DueOptions, 'fresh' | 'tried' | 'limit'>

/** What this relay knows about a key that it owns. Times are on the lease's clock. */
export interface KeyMirror {
  readonly owned: OwnedKey
  /** When the lease ends. */
  untilMs: number
  readonly held: Map<number, Held>
  readonly wants: Record<Event['kind'], Want>
  /** Whether the server may have more that is due now. */
  isMore: boolean
  /** When to ask the server next. */
  askAtMs: number
  /** Whether the server has events of the key that are due later, as far as this relay knows. */
  isLater: boolean
  /** Since when the key has had no pending events (`hasEvents`); undefined if it has some. */
  idleSinceMs: number | undefined
}

/** What is wanted before the worker has said it: as much as it begins at most. */
const ANY: Want = { fresh: 64, tried: 64, limit: 64 }

/** A key that was just claimed, since it has something due. */
export function createKeyMirror(owned: OwnedKey, untilMs: number): KeyMirror {
  return {
    owned,
    untilMs,
    held: new Map(),
    wants: { alert: ANY, change: ANY },
    isMore: true,
    askAtMs: 0,
    isLater: false,
    idleSinceMs: undefined,
  }
}

/**
 * Whether the key has pending events, as far as this relay knows: it is attempting some, or the server has more. The server
 * counts active keys in the same way (`active_keys`), so a key is idle as soon as the last result is written.
 */
function hasEvents({ held, isMore, isLater }: Pick<KeyMirror, 'held' | 'isMore' | 'isLater'>): boolean {
  return held.size > 0 || isMore || isLater
}

/** Notes since when the key has been idle. Call after any change of what `hasEvents` looks at. */
export function noteUse(mirror: KeyMirror, nowMs: number): void {
  mirror.idleSinceMs = hasEvents(mirror) ? undefined : (mirror.idleSinceMs ?? nowMs)
}

/** How many events the worker could begin that are not held yet. */
export function wantedOf({ wants: { alert, change } }: KeyMirror): number {
  return countOf(alert) + countOf(change)
}

function countOf({ fresh, tried, limit }: Want): number {
  return Math.min(limit, fresh + tried)
}

/** Drops events that waited until their permits expired, so that they are taken again: what has changed since is not known. */
export function dropExpired(mirror: KeyMirror, nowMs: number): void {
  for (const { event, permittedUntilMs, state } of mirror.held.values()) {
    if (state !== 'waiting' || permittedUntilMs > nowMs) continue
    mirror.held.delete(event.id)
    Object.assign(mirror, { isMore: true, askAtMs: nowMs, idleSinceMs: undefined })
  }
}

/**
 * Chooses held events of a kind to attempt now, and notes how many more the worker could begin. Those that it attempts are in
 * `exclude`, so one that it has begun and that is not there was not attempted after all.
 */
export function dueOf(mirror: KeyMirror, kind: Event['kind'], options: DueOptions, nowMs: number): Due {
  const left = { fresh: options.fresh, tried: options.tried }
  const events: TakenEvent[] = []
  const ofKind = [...mirror.held.values()].filter(
    (held) => held.event.kind === kind && held.state !== 'settling',
  )
  const free = ofKind.filter(({ event }) => !options.exclude.has(event.id))
  for (const held of free) held.state = 'waiting'
  dropExpired(mirror, nowMs)
  let isMore = mirror.isMore
  for (const held of free) {
    const { event } = held
    if (!mirror.held.has(event.id)) continue
    const lane = event.attempts === 0 ? 'fresh' : 'tried'
    if (left[lane] > 0 && events.length < options.limit) {
      held.state = 'begun'
      left[lane]--
      events.push(event)
    } else isMore = true
  }
  const limit = options.limit - events.length
  mirror.wants[kind] = { fresh: Math.min(left.fresh, limit), tried: Math.min(left.tried, limit), limit }
  return { events, isMore, nextAtMs: undefined }
}
