import type { Event } from '../core/event.ts'
import type { Secret } from '../core/secret.ts'
import type { DeploymentLog } from './deployment-log.ts'
import type { Unavailable } from './errors.ts'

/* The spool: events that were accepted and not yet delivered, on disk. `open.ts` opens it. */

/** `pending` is still to be delivered; `dead` was refused or became too old, and stays until somebody retries or discards it. */
export type EventStatus = 'pending' | 'delivered' | 'dead'

/**
 * The key to send an event with: a key of the delivering process's configuration, by name, so that a rotated key takes
 * effect; or the caller's own, the only kind whose secret is stored.
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
 * - `added`: synced to disk, under these ids, in the order given
 * - `full`: the limit would be exceeded; it may fit later
 * - `unavailable`: the disk is full, read-only or locked for too long; nothing was kept, and it may work later
 */
export type AddResult =
  | { readonly kind: 'added'; readonly ids: readonly number[] }
  | { readonly kind: 'full'; readonly limit: number }
  | Unavailable

/** The progress of an event. */
export interface Progress {
  readonly id: number
  readonly status: EventStatus
  /** Attempts so far. */
  readonly attempts: number
  /** HTTP status of the last answer, if there was one. */
  readonly httpStatus?: number
  /** Why it is not delivered, in PagerDuty's words if it answered; one line, secrets masked. */
  readonly reason?: string
}

/** An event in a list. */
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

/** Selects events. What is absent does not matter. */
export interface EventFilter {
  readonly matchesKey?: (key: SpoolKey) => boolean
  readonly kind?: Event['kind']
  /** A part of it, in either case. */
  readonly dedupKey?: string
  /** The status of the last attempt's answer; `none` if there was no answer. */
  readonly answer?: 'none' | '4xx' | '429' | '5xx'
}

/** Which dead events are meant: one, or all that match. */
export type DeadFilter = { readonly id: number } | EventFilter

/** The result of a retry. */
export interface Retried {
  /** How many events are pending again. */
  readonly retried: number
  /** How many stay dead because their alert has a later trigger or resolve, delivered or pending, that they would undo. */
  readonly leftOut: number
}

/** An open spool. Several processes can open the same one and add to it at the same time. */
export interface Spool {
  /**
   * Keeps all items or none. Resolves when they are synced to disk. All items that are added in the same turn of the event
   * loop share one transaction and one sync. Never rejects. @param ids reserved ones (`forwarding`) or, if omitted, new ones
   */
  add(items: readonly SpoolItem[], ids?: readonly number[]): Promise<AddResult>
  /** Counts events in constant time, from counters that each transaction keeps; the last known ones if the disk fails. */
  counts(): SpoolCounts
  /** Age of the oldest pending event; undefined if none is pending. */
  oldestPendingAgeMs(): number | undefined
  /**
   * Entries of a status in the order of their ids. Throws a `Failure` if the disk fails, and `retry` and `discard` reject
   * with one.
   * @param afterId the last id of the page before; 0 for the first page
   */
  list(status: EventStatus, limit: number, afterId?: number): SpoolEntry[]
  /**
   * Makes dead events pending again and resets their attempts. Leaves out events whose alert has a later trigger or resolve,
   * unless they are selected by id.
   */
  retry(filter: DeadFilter): Promise<Retried>
  /** Removes dead events for good. Returns how many. */
  discard(filter: DeadFilter): Promise<number>
  /**
   * Resolves with the progress of events when none of them is pending, the time is over or the signal aborts, even if
   * another process delivers them. An event that cannot be read counts as pending.
   */
  waitFor(ids: readonly number[], timeoutMs: number, signal: AbortSignal): Promise<Progress[]>
  /** Why nothing can be written now; undefined if an empty transaction succeeds. */
  checkWritable(): string | undefined
  /** Why there is no room for another event; undefined if there is. */
  checkRoom(): string | undefined
  /** File names of damaged stores that were set aside. Their events may or may not have been delivered. */
  setAside(): string[]
  /** Whether an alert has a pending event that a new one has to wait for; false if the spool cannot be read. */
  hasPending(key: SpoolKey, dedupKey: string): boolean
  /** The last 10,000 deployments that events reported. */
  readonly deployments: DeploymentLog
  /** The part that a worker uses. */
  readonly queue: SpoolQueue
  /** Writes what was added, releases the delivery lock, and closes. */
  close(): Promise<void>
}

/** An event to attempt now: no earlier event of its alert is pending. */
export interface DueEvent {
  readonly id: number
  readonly keyId: number
  readonly kind: Event['kind']
  readonly dedupKey?: string
  /** The event's JSON, without key. */
  readonly body: string
  readonly attempts: number
  readonly acceptedAtMs: number
  /** `checksumOf` the event when it was accepted. If it differs now, the event was corrupted on disk. */
  readonly checksum: number
}

/** Why an event is dead: PagerDuty refused it, it could not be delivered in time, or it was corrupted on disk. */
export type DeadCause = 'refused' | 'too-old' | 'damaged'

/** One attempt of an event: when it began, and its result. */
export interface SpoolAttempt {
  readonly atMs: number
  readonly ms: number
  readonly httpStatus?: number
  readonly reason?: string
}

/** The result of an attempt, to be recorded. Times are on the spool's clock. */
export type Settlement = Result & {
  /** When the attempt began, and how long it took. */
  readonly attempt?: Pick<SpoolAttempt, 'atMs' | 'ms'>
}

type Result =
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

/** The due events of a key and kind. */
export interface Due {
  readonly events: readonly DueEvent[]
  /** Whether more events are due than were requested. */
  readonly isMore: boolean
  /** When the next other event is due; undefined if there is none. */
  readonly nextAtMs: number | undefined
}

/** A key with waiting events, and when the first of them is due. */
export interface DueKey {
  readonly keyId: number
  readonly dueAtMs: number
}

/** Gets events that were just added and are due, so that nobody has to read them, and the keys of other events that are due. */
export type DueListener = (keyIds: ReadonlySet<number>, fresh: readonly DueEvent[]) => void

/** The delivering side of a spool. Reading throws SQLite's errors if the disk fails (`storeProblem` explains them). */
export interface SpoolQueue {
  /**
   * Takes the delivery lock; false while another process has it. The operating system releases it when the process exits,
   * and no clock is involved. Rejects with a `Failure` if no process can take it.
   */
  tryLock(): Promise<boolean>
  releaseLock(): void
  /** Milliseconds since the epoch when the process started, and from then on by a clock that never steps. */
  now(): number
  /** Undefined if no event needs the key. No id is used for two keys. */
  key(keyId: number): SpoolKey | undefined
  /** Every key with events that do not wait for another event. */
  dueKeys(): DueKey[]
  due(keyId: number, kind: Event['kind'], options: DueOptions): Due
  /** Whether an event of the alert is pending that was accepted before the one with this id. */
  hasEarlier(keyId: number, dedupKey: string, id: number): boolean
  /** Runs several queries on one snapshot of the spool. The work must be synchronous. */
  readTogether<T>(work: () => T): T
  /**
   * Writes results, in one transaction with events that are added at the same time and with results that could not be
   * written before. If that fails, it returns why, and keeps the results in memory as if they had been written.
   */
  settle(settlements: readonly Settlement[]): Promise<string | undefined>
  /** How many results are only in memory. */
  unwritten(): number
  /** Limits the waits of a key that works again to that time. Returns why that failed, if it did. */
  clampDue(latestMs: number, keyId: number): Promise<string | undefined>
  /**
   * Makes events due now if their time is further away than any wait, as after a clock was set back. Returns why that
   * failed, if it did.
   */
  repairDueTimes(): Promise<string | undefined>
  /** Removes rows that no event needs, above all callers' keys. */
  tidy(): Promise<void>
  /** Deliveries since a time: they tell a process that takes over how much of its rate each key has used. */
  deliveriesSince(sinceMs: number): { readonly keyId: number; readonly atMs: number }[]
  /** Calls back after each transaction of this process that made events due. Returns a function that ends that. */
  onDue(listener: DueListener): () => void
  /** Whether another process has changed the spool since the last call. */
  hasForeignChanges(): boolean
  /** Whether an attempt of a due event may still begin. Absent if nothing can take that right away. */
  readonly mayAttempt?: (event: DueEvent) => boolean
}

/** Selects due events: the first that are not in `exclude`, alternating between those never tried and the others. */
export interface DueOptions {
  readonly nowMs: number
  /** Most events that were never tried. */
  readonly fresh: number
  /** Most events that were tried. */
  readonly tried: number
  /** Most events in all. */
  readonly limit: number
  readonly exclude: ReadonlySet<number>
  /** Whether to take the newest of those never tried, not the oldest. */
  readonly isNewestFirst: boolean
}
