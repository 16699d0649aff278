import type { Event } from '../core/event.ts'
import type { Secret } from '../core/secret.ts'
import type { DeploymentLog } from './deployment-log.ts'

/*
 * The spool: what has been accepted and not yet delivered, on disk. This file is what others know of it;
 * `open-spool.ts` has `openSpool(options: SpoolOptions): Promise<Spool>`, and `worker.ts` has `startWorker(deps: WorkerDeps): Worker`.
 */

/** `pending` is still to be delivered, `dead` was refused or grew too old and waits for somebody to decide. */
export type EventStatus = 'pending' | 'delivered' | 'dead'

/**
 * Whose key an event goes out with: one of the deliverer's own by its name, so that a key rotated in the configuration
 * is used anew; or the caller's, the only kind that is stored.
 */
export type SpoolKey =
  | { readonly kind: 'configured'; readonly name: string }
  | { readonly kind: 'own'; readonly key: Secret }

/** One event for one key. */
export interface SpoolItem {
  readonly event: Event
  readonly key: SpoolKey
}

/**
 * What came of adding.
 *
 * - `added`: synced to disk, under these ids, in the order given
 * - `full`: the limit would be passed; it may fit later
 * - `unavailable`: the disk is full, read-only, locked for too long; nothing was kept, and it may work later
 */
export type AddResult =
  | { readonly kind: 'added'; readonly ids: readonly number[] }
  | { readonly kind: 'full'; readonly limit: number }
  | { readonly kind: 'unavailable'; readonly reason: string }

/** How far an event has come. */
export interface Progress {
  readonly id: number
  readonly status: EventStatus
  /** Attempts made so far. */
  readonly attempts: number
  /** HTTP status of the last answer, where one came. */
  readonly httpStatus?: number
  /** Why it is not delivered, in PagerDuty's words where it answered; one line, secrets masked. */
  readonly reason?: string
}

/** An event as it is listed. */
export interface SpoolEntry extends Progress {
  readonly kind: Event['kind']
  readonly key: SpoolKey
  /** `event_action` of an alert. */
  readonly action?: string
  readonly dedupKey?: string
  /** Milliseconds since the epoch. */
  readonly acceptedAtMs: number
}

/** How many events there are of each status; `delivered` counts those still kept for the list. */
export type SpoolCounts = Readonly<Record<EventStatus, number>>

/** Which dead events are meant: one, those of some keys, or all. */
export type DeadFilter =
  | { readonly id: number }
  | { readonly matchesKey: (key: SpoolKey) => boolean }
  | Readonly<Record<string, never>>

/** What came of a retry. */
export interface Retried {
  /** How many events are pending again. */
  readonly retried: number
  /**
   * How many stay dead because a later trigger or resolve of their alert was delivered or is pending: to send them now
   * would undo it.
   */
  readonly leftOut: number
}

/** A spool that is open. Several processes may have the same one open and add to it at once. */
export interface Spool {
  /**
   * Keeps all items or none. Resolves when they are synced to disk; whatever is added in the same turn of the event loop,
   * by however many callers, shares one transaction and one sync. Never rejects.
   */
  add(items: readonly SpoolItem[]): Promise<AddResult>
  /** In constant time, from a counter that each transaction keeps; what was last known where the disk fails. */
  counts(): SpoolCounts
  /** Age of the oldest pending event; undefined where none is pending. */
  oldestPendingAgeMs(): number | undefined
  /**
   * Entries of a status in the order of their ids. Throws SQLite's errors where the disk fails, as `retry` rejects with
   * them (`storeProblem` explains them).
   * @param afterId where a page begins; 0 for the first
   */
  list(status: EventStatus, limit: number, afterId?: number): SpoolEntry[]
  /**
   * Makes dead events pending again, with their attempts forgotten. Those about whose alert a later event has decided are
   * left out, unless they are asked for by id.
   */
  retry(filter: DeadFilter): Promise<Retried>
  /** Removes dead events for good. Returns how many. */
  discard(filter: DeadFilter): Promise<number>
  /**
   * How far events have come as soon as none of them is pending, or else when the time is over or the signal aborts.
   * Works also where another process delivers. What cannot be read counts as pending.
   */
  waitFor(ids: readonly number[], timeoutMs: number, signal: AbortSignal): Promise<Progress[]>
  /** Why nothing can be written now, or undefined where it can: a transaction that changes nothing is tried. */
  checkWritable(): string | undefined
  /** Why there is no room for another event, or undefined where there is. */
  checkRoom(): string | undefined
  /** Names of the files of damaged stores that were set aside, and of whose events nobody knows whether they arrived. */
  setAside(): string[]
  /** Whether an alert still has a pending event, behind which a new one has to wait; no where that cannot be read. */
  hasPending(key: SpoolKey, dedupKey: string): boolean
  /** The deployments that added events told of: the last 10,000, also after their events are forgotten. */
  readonly deployments: DeploymentLog
  /** The part that only a worker uses. */
  readonly queue: SpoolQueue
  /** Writes what was added, and closes. The deliverer's lock is given up. */
  close(): Promise<void>
}

/** An event that may be attempted now: nothing of its alert is pending before it. */
export interface DueEvent {
  readonly id: number
  readonly keyId: number
  readonly kind: Event['kind']
  readonly dedupKey?: string
  /** The event's JSON, without key. */
  readonly body: string
  readonly attempts: number
  readonly acceptedAtMs: number
  /** `checksumOf` what was accepted: another one now means that the disk has altered it. */
  readonly checksum: number
}

/** Why an event is given up: PagerDuty refused it, it could not be delivered for too long, or the disk has altered it. */
export type DeadCause = 'refused' | 'too-old' | 'damaged'

/** What came of an attempt, to be written down. Times are on the spool's clock. */
export type Settlement =
  | { readonly kind: 'delivered'; readonly id: number; readonly httpStatus: number }
  | {
      readonly kind: 'dead'
      readonly id: number
      readonly cause: DeadCause
      readonly reason: string
      readonly httpStatus?: number
    }
  | {
      readonly kind: 'postponed'
      readonly id: number
      readonly reason: string
      readonly httpStatus?: number
      readonly dueAtMs: number
    }

/** What is due of a key and kind. */
export interface Due {
  readonly events: readonly DueEvent[]
  /** Whether more are due than were wanted. */
  readonly isMore: boolean
  /** When the next event is due that is not due yet; undefined if there is none. */
  readonly nextAtMs: number | undefined
}

/** A key that has events waiting, and when the first of them is due. */
export interface DueKey {
  readonly keyId: number
  readonly dueAtMs: number
}

/** The delivering side of a spool. Reading throws SQLite's errors where the disk fails (`storeProblem` explains them). */
export interface SpoolQueue {
  /**
   * Becomes the one process that delivers; false while another is. The operating system ends the lock with the process,
   * however that ends, and no clock is involved. Rejects with a `Failure` where it cannot be had.
   */
  tryLock(): Promise<boolean>
  releaseLock(): void
  /** Milliseconds since the epoch at the start of the process, from there on by a clock that never steps. */
  now(): number
  /** Undefined where no event needs it any more. An id is never used for another key. */
  key(keyId: number): SpoolKey | undefined
  /** Every key with events that wait for a time and not for another event. */
  dueKeys(): DueKey[]
  due(keyId: number, kind: Event['kind'], options: DueOptions): Due
  /** Whether an event of an alert is pending that was accepted before the event of that id. */
  hasEarlier(keyId: number, dedupKey: string, id: number): boolean
  /** Does work that reads often, on one view of the spool; it must not wait for anything. */
  readTogether<T>(work: () => T): T
  /**
   * Writes results down, together with whatever is added at the same time, and with those that could not be written
   * before. Returns why that failed, if it did: then they are remembered, and all goes on as if they had been written.
   */
  settle(settlements: readonly Settlement[]): Promise<string | undefined>
  /** How many results are only remembered. */
  unwritten(): number
  /** Nothing of a key waits longer than until then, because it works again. Returns why that failed, if it did. */
  clampDue(latestMs: number, keyId: number): Promise<string | undefined>
  /**
   * Whatever is due at a time that no wait can have led to, as after a clock was set back, is due now. Returns why that
   * failed, if it did.
   */
  mendDues(): Promise<string | undefined>
  /** Forgets what no event needs any more, callers' keys above all. */
  tidy(): Promise<void>
  /** Deliveries since a time, for a deliverer that takes over to know what each key has used of its rate. */
  deliveriesSince(sinceMs: number): { readonly keyId: number; readonly atMs: number }[]
  /** Calls back after each transaction of this process that made keys' events due. Returns the way to stop that. */
  onDue(listener: (keyIds: ReadonlySet<number>) => void): () => void
  /** Whether another process has changed the spool since the last call. */
  hasForeignChanges(): boolean
}

/** Which due events are wanted: the first that are not in `exclude`, those that were never tried in turns with the others. */
export interface DueOptions {
  readonly nowMs: number
  /** How many at most of those that were never tried. */
  readonly fresh: number
  /** How many at most of those that were. */
  readonly tried: number
  /** How many of both. */
  readonly limit: number
  readonly exclude: ReadonlySet<number>
  /** Whether those that were never tried are taken from the end. */
  readonly isNewestFirst: boolean
}

export interface SpoolOptions {
  /** Made with its parents where it is not there; only its owner can look into it. */
  readonly directory: string
  /** Most events that may be pending; dead ones have a limit of their own. */
  readonly limit: number
  /** Is told what a person has to know: that a damaged spool was set aside, and where it is now. */
  readonly onWarning: (message: string) => void
  /** Is told how many of the oldest dead events were removed to make room. */
  readonly onCrowdedOut?: (count: number) => void
  /** Milliseconds since the epoch; a clock that never steps where absent. */
  readonly now?: () => number
}
