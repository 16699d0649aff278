import type { Event } from '../core/event.ts'
import type { Due, DueEvent, DueOptions, SpoolKey } from '../spool/spool.ts'
import type { KeyRequest, KeyTaken, Lease, OwnedKey, Taken, TakenEvent } from './engine.ts'
import { createKeyMirror, dropExpired, dueOf, wantedOf, type Held, type KeyMirror } from './key-mirror.ts'
import { createOrphans, type Orphans } from './orphans.ts'

/**
 * The part of the fleet that this relay holds: the keys that it owns, and a bounded number of their events, taken to be attempted
 * at once. Everything is synchronous; times are on the lease's clock.
 */
export interface Mirror {
  /** Adds keys that were claimed. */
  own(keys: readonly OwnedKey[], untilMs: number): void
  /** Prolongs leases. Those of the `asked` that were not renewed belong to another relay now. */
  renew(asked: readonly Lease[], renewed: readonly Lease[], untilMs: number): void
  /** Forgets keys: they were given back or lost. */
  drop(keyIds: Iterable<number>): void
  keyIds(): number[]
  /** When the first lease ends; undefined if no key is owned. */
  leaseUntilMs(): number | undefined
  /** Keys that have had no pending events since then. */
  idleKeyIds(sinceMs: number): number[]
  /** Keys that have pending events, but none of them taken: they wait, as for a retry. */
  waitingKeyIds(): number[]
  key(keyId: number): SpoolKey | undefined
  lease(keyId: number): OwnedKey | undefined
  leases(): OwnedKey[]
  /** Something of these keys is due. Returns those that this relay does not own. */
  noteDue(keyIds: Iterable<number>): number[]
  /** Keys to take up to `room` events of, in all; those that have waited for longest first. */
  requests(room: number): KeyRequest[]
  /** Keys that the server should be asked about, but the worker has no room for their events: it may have by now. */
  unwanted(): Set<number>
  /** When there is something to ask next. */
  askAtMs(): number
  /** Ids of the events that are held. */
  heldIds(): number[]
  /** How many more events may be held. */
  room(): number
  /** Adds what was taken. Returns the keys that the worker should look at. */
  accept(taken: Taken, askedAtMs: number): Set<number>
  due(keyId: number, kind: Event['kind'], options: DueOptions): Due
  /** Whether an attempt may begin: the lease lasts for as long as the attempt may take. */
  mayAttempt(event: DueEvent): boolean
  held(id: number): Held | undefined
  /** The event's result is written. */
  release(id: number): void
}

export interface MirrorOptions {
  readonly now: () => number
  /** How long one attempt may take. */
  readonly timeoutMs: number
  /** Converts the server's time of an event, given the server's time of the answer. */
  readonly toLocalMs: (serverMs: number, answeredMs: number) => number
}

/** As many as the worker has in flight at once. */
export const MAX_HELD = 256
/** A permit that is not used within this time is dropped, so that no attempt comes after its permit has expired. */
export const PERMIT_MS = 2000
/** How often to ask about owned keys without news. */
const POLL_MS = 500
/** How many events of a key are asked for beyond its share. */
const BEYOND_SHARE = 1
/** How soon to ask about a key again if it has more due, and nothing of that was taken. */
const REPEAT_MS = 100

const NOTHING: Due = { events: [], isMore: false, nextAtMs: undefined }

/** Holds nothing yet. */
export function createMirror(options: MirrorOptions): Mirror {
  const shelf = createShelf(options)
  return { ...createLeased(shelf), ...createAsked(shelf, options), ...createHeld(shelf, options) }
}

/** What the parts of a mirror share. */
interface Shelf {
  readonly keys: Map<number, KeyMirror>
  /** The key of each event that is held. */
  readonly keyOf: Map<number, number>
  /** Events of lost keys whose attempts are not over. */
  readonly orphans: Orphans
  /** Whether an attempt may begin. */
  readonly isSafe: (key: KeyMirror) => boolean
  readonly drop: (keyId: number) => void
}

function createShelf({ now, timeoutMs }: MirrorOptions): Shelf {
  const keys = new Map<number, KeyMirror>()
  const keyOf = new Map<number, number>()
  const orphans = createOrphans(now, PERMIT_MS + 2 * timeoutMs)
  return {
    keys,
    keyOf,
    orphans,
    isSafe: ({ untilMs }) => untilMs - now() > timeoutMs,
    drop: (keyId) => {
      for (const held of keys.get(keyId)?.held.values() ?? []) {
        keyOf.delete(held.event.id)
        if (held.state !== 'waiting') orphans.add(held)
      }
      keys.delete(keyId)
    },
  }
}

type Leased =
  | 'own'
  | 'renew'
  | 'drop'
  | 'keyIds'
  | 'leaseUntilMs'
  | 'idleKeyIds'
  | 'waitingKeyIds'
  | 'key'
  | 'lease'
  | 'leases'

function createLeased({ keys, drop }: Shelf): Pick<Mirror, Leased> {
  const idsOf = (isChosen: (key: KeyMirror) => boolean): number[] =>
    [...keys.values()].filter(isChosen).map(({ owned }) => owned.keyId)
  return {
    own: (claimed, untilMs) => {
      for (const owned of claimed) {
        drop(owned.keyId) // it may have been this relay's before, with attempts that are not over
        keys.set(owned.keyId, createKeyMirror(owned, untilMs))
      }
    },
    renew: (asked, renewed, untilMs) => {
      const epochs = new Map(renewed.map(({ keyId, epoch }) => [keyId, epoch]))
      for (const { keyId, epoch } of asked) {
        const key = keys.get(keyId)
        if (key?.owned.epoch !== epoch) continue // given back, or claimed again, since then
        if (epochs.get(keyId) !== epoch) drop(keyId)
        else key.untilMs = Math.max(key.untilMs, untilMs)
      }
    },
    drop: (keyIds) => Iterator.from(keyIds).forEach(drop),
    keyIds: () => [...keys.keys()],
    leaseUntilMs: () =>
      keys.size === 0 ? undefined : Math.min(...[...keys.values()].map(({ untilMs }) => untilMs)),
    idleKeyIds: (sinceMs) =>
      idsOf(
        ({ held, idleSinceMs }) => held.size === 0 && idleSinceMs !== undefined && idleSinceMs <= sinceMs,
      ),
    waitingKeyIds: () => idsOf(({ held, idleSinceMs }) => held.size === 0 && idleSinceMs === undefined),
    key: (keyId) => keys.get(keyId)?.owned.key,
    lease: (keyId) => keys.get(keyId)?.owned,
    leases: () => [...keys.values()].map(({ owned }) => owned),
  }
}

type Asked = 'noteDue' | 'requests' | 'unwanted' | 'askAtMs'

function createAsked({ keys, isSafe }: Shelf, { now }: MirrorOptions): Pick<Mirror, Asked> {
  const toAsk = (): KeyMirror[] => {
    const nowMs = now()
    for (const key of keys.values()) dropExpired(key, nowMs)
    return [...keys.values()]
      .filter((key) => key.askAtMs <= nowMs && isSafe(key))
      .toSorted((a, b) => a.askAtMs - b.askAtMs)
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
      const chosen = toAsk()
        .filter((key) => wantedOf(key) > 0)
        .slice(0, room)
      // Each key's turn is the same, so more than its share would be looked at for nothing; if others have less, it is asked again.
      const share = Math.ceil(room / chosen.length) + BEYOND_SHARE
      return chosen.map((key) => ({ ...key.owned, most: Math.min(wantedOf(key), share), wants: key.wants }))
    },
    unwanted: () => {
      const full = toAsk().filter((key) => wantedOf(key) === 0)
      for (const key of full) key.askAtMs = now() + POLL_MS
      return new Set(full.map(({ owned }) => owned.keyId))
    },
    askAtMs: () => Math.min(Infinity, ...[...keys.values()].filter(isSafe).map(({ askAtMs }) => askAtMs)),
  }
}

type HeldPart = 'heldIds' | 'room' | 'accept' | 'due' | 'mayAttempt' | 'held' | 'release'

function createHeld(
  { keys, keyOf, orphans, isSafe, drop }: Shelf,
  { now, toLocalMs }: MirrorOptions,
): Pick<Mirror, HeldPart> {
  const all = (): Held[] => [
    ...[...keys.values()].flatMap(({ held }) => [...held.values()]),
    ...orphans.list(),
  ]
  const find = (id: number): Held | undefined => keys.get(keyOf.get(id) ?? 0)?.held.get(id) ?? orphans.get(id)
  const isNew = ({ keyId, epoch, id }: TakenEvent): boolean =>
    keys.get(keyId)?.owned.epoch === epoch && find(id) === undefined
  return {
    heldIds: () => all().map(({ event }) => event.id),
    room: () => MAX_HELD - all().length,
    accept: ({ events, keys: states, nowMs: answeredMs }, askedAtMs) => {
      const kept = events.filter(isNew)
      for (const taken of kept) {
        const event = { ...taken, acceptedAtMs: toLocalMs(taken.acceptedAtMs, answeredMs) }
        const held: Held = { event, permittedUntilMs: askedAtMs + PERMIT_MS, state: 'waiting' }
        keyOf.set(taken.id, taken.keyId)
        keys.get(taken.keyId)?.held.set(taken.id, held)
      }
      for (const state of states) {
        const key = keys.get(state.keyId)
        if (state.isLost) drop(state.keyId)
        else if (key !== undefined) noteTaken(key, state, now())
      }
      // If nothing of a key was taken although more is due, what the worker wanted may have changed.
      const stale = states.filter(({ isMore, permits, isLost }) => isMore && permits === 0 && !isLost)
      return new Set([...kept, ...stale].map(({ keyId }) => keyId))
    },
    due: (keyId, kind, options) => {
      const key = keys.get(keyId)
      return key === undefined || !isSafe(key) ? NOTHING : dueOf(key, kind, options, now())
    },
    mayAttempt: ({ keyId, id }) => {
      const key = keys.get(keyId)
      const isAllowed = key?.held.has(id) === true && isSafe(key)
      if (!isAllowed) orphans.release(id)
      return isAllowed
    },
    held: find,
    release: (id) => {
      keys.get(keyOf.get(id) ?? 0)?.held.delete(id)
      keyOf.delete(id)
      orphans.release(id)
    },
  }
}

/** When to ask about a key again, by what the server said about it. */
function noteTaken(key: KeyMirror, { isMore, permits, permitInMs, dueInMs }: KeyTaken, nowMs: number): void {
  key.isMore = isMore
  const permitMs = Math.max(permitInMs, permits > 0 ? 0 : REPEAT_MS)
  key.askAtMs = nowMs + (isMore ? permitMs : Math.min(dueInMs ?? Infinity, POLL_MS))
  const isIdle = !isMore && permits === 0 && dueInMs === undefined
  key.idleSinceMs = isIdle ? (key.idleSinceMs ?? nowMs) : undefined
}
