import type { Event } from '../core/event.ts'
import type { Due, DueEvent, DueOptions, SpoolKey } from '../spool/spool.ts'
import type { KeyTaken, Lease, OwnedKey, Taken, TakenEvent } from './engine.ts'
import { createKeyMirror, dueOf, noteUse, type Held, type KeyMirror } from './key-mirror.ts'
import { createAsking, type Asking } from './mirror-asking.ts'
import { createShelf, POLL_MS, PERMIT_MS, type MirrorOptions, type Shelf } from './mirror-shelf.ts'

/**
 * The part of the fleet that this relay holds: the keys that it owns, and a bounded number of their events, taken to be attempted
 * at once. Everything is synchronous; times are on the lease's clock.
 */
export interface Mirror extends Asking {
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
  /** Keys that have pending events, but none of them taken: they wait for their turn, or for a retry. */
  waitingKeyIds(): { readonly due: number[]; readonly later: number[] }
  key(keyId: number): SpoolKey | undefined
  lease(keyId: number): OwnedKey | undefined
  leases(): OwnedKey[]
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
  /** The event's result is written. @param isPostponed whether it is to be tried again */
  release(id: number, isPostponed: boolean): void
}

/** As many as the worker has in flight at once. */
export const MAX_HELD = 256
/** How soon to ask about a key again if it has more due, and nothing of that was taken. */
const REPEAT_MS = 100

const NOTHING: Due = { events: [], isMore: false, nextAtMs: undefined }

/** Holds nothing yet. */
export function createMirror(options: MirrorOptions): Mirror {
  const shelf = createShelf(options)
  return { ...createLeased(shelf), ...createAsking(shelf, options), ...createHeld(shelf, options) }
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
    leaseUntilMs: () => {
      let first: number | undefined
      for (const { untilMs } of keys.values()) if (first === undefined || untilMs < first) first = untilMs
      return first
    },
    idleKeyIds: (sinceMs) => idsOf(({ idleSinceMs }) => idleSinceMs !== undefined && idleSinceMs <= sinceMs),
    waitingKeyIds: () => {
      const idsWith = (isDue: boolean): number[] =>
        idsOf(
          ({ held, idleSinceMs, isMore }) => held.size === 0 && idleSinceMs === undefined && isMore === isDue,
        )
      return { due: idsWith(true), later: idsWith(false) }
    },
    key: (keyId) => keys.get(keyId)?.owned.key,
    lease: (keyId) => keys.get(keyId)?.owned,
    leases: () => [...keys.values()].map(({ owned }) => owned),
  }
}

type HeldPart = 'heldIds' | 'room' | 'accept' | 'due' | 'mayAttempt' | 'held' | 'release'

function createHeld(
  { keys, keyOf, orphans, isSafe, drop }: Shelf,
  { now, toLocalMs }: MirrorOptions,
): Pick<Mirror, HeldPart> {
  const all = (): Held[] => [
    ...[...keyOf].flatMap(([id, keyId]) => keys.get(keyId)?.held.get(id) ?? []),
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
      const nowMs = now()
      return key === undefined || !isSafe(key, nowMs) ? NOTHING : dueOf(key, kind, options, nowMs)
    },
    mayAttempt: ({ keyId, id }) => {
      const key = keys.get(keyId)
      const isAllowed = key?.held.has(id) === true && isSafe(key, now())
      if (!isAllowed) orphans.release(id)
      return isAllowed
    },
    held: find,
    release: (id, isPostponed) => {
      const key = keys.get(keyOf.get(id) ?? 0)
      if (key?.held.delete(id) === true) {
        key.isLater ||= isPostponed
        noteUse(key, now())
      }
      keyOf.delete(id)
      orphans.release(id)
    },
  }
}

/** At most `POLL_MS`, and at the same moments for all keys, so that one statement asks about many. */
function pollInMs(nowMs: number): number {
  return POLL_MS - (nowMs % (POLL_MS / 2))
}

/** When to ask about a key again, by what the server said about it. */
function noteTaken(key: KeyMirror, { isMore, permits, permitInMs, dueInMs }: KeyTaken, nowMs: number): void {
  key.isMore = isMore
  const permitMs = Math.max(permitInMs, permits > 0 ? 0 : REPEAT_MS)
  key.askAtMs = nowMs + (isMore ? permitMs : Math.min(dueInMs ?? Infinity, pollInMs(nowMs)))
  key.isLater = dueInMs !== undefined
  noteUse(key, nowMs)
}
