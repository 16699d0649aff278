import type { Forwarding } from './forwarding.ts'
import type { Deadlines } from './deadlines.ts'
import type {
  DeadFilter,
  EventFilter,
  EventStatus,
  Retried,
  Spool,
  SpoolAttempt,
  SpoolEntry,
} from './spool.ts'

/* What people ask of a spool, as opposed to what delivers it. */

/** What people see of an event: `discarded` is a dead one that somebody discarded. */
export type ListedStatus = EventStatus | 'discarded'

/** Where an event of a fleet is. All absent without one. */
export interface EventPlace {
  /** Only the relay's own spool has it. */
  readonly where?: 'spool'
  /** The relay that accepted it. */
  readonly origin?: string
  /** The relay that delivers its key; absent if none does. */
  readonly owner?: string
}

/** An event as people browse it. Times are milliseconds since 1970. */
export interface ListedEvent extends Omit<SpoolEntry, 'status'>, EventPlace {
  readonly status: ListedStatus
  /** Only while the event's content is kept. */
  readonly summary?: string
  readonly settledAtMs?: number
  /** When a pending one is tried again. */
  readonly dueAtMs?: number
  /** Why it was discarded. */
  readonly note?: string
}

/** An event with everything that is kept of it. */
export interface ShownEvent extends ListedEvent {
  /** The last ten of an event that failed at least once, the oldest first. */
  readonly lastAttempts: readonly SpoolAttempt[]
  /** The event's JSON, without key; only while it is kept. */
  readonly body?: string
}

export interface Search extends EventFilter {
  readonly statuses: readonly ListedStatus[]
  /** Only those with smaller ids. */
  readonly beforeId?: number
  readonly limit: number
}

/** What a retry would do. */
export interface RetryPreview extends Retried {
  /** How many of those to be retried are triggers, for which PagerDuty may page. */
  readonly triggers: number
  /** When the oldest of them was accepted. */
  readonly oldestAtMs?: number
}

/** What a spool does for people. */
export interface Listing {
  /** What `retry` would do now. */
  previewRetry(filter: DeadFilter): Promise<RetryPreview>
  /** Discards one dead event, and keeps the reason. Returns false if it is not dead. */
  discardOne(id: number, note: string): Promise<boolean>
  /** Events that match, the newest first. Throws as `list` does. */
  find(search: Search): ListedEvent[]
  /** One event; undefined if it no longer exists. Throws as `list` does. */
  show(id: number): ShownEvent | undefined
  /** Calls back with the ids of what this process has changed, after each transaction. Returns the way to stop that. */
  onChange(listener: (ids: readonly number[]) => void): () => void
  /** A function that returns whether another process has changed the spool since its last call, or since now. */
  watchOthers(): () => boolean
}

/** A spool that people can look into, and that watches the time of deployments. */
export interface ListedSpool extends Spool, Listing {
  readonly deadlines: Deadlines
  readonly forwarding: Forwarding
}

type Awaitable<T> = T | Promise<Awaited<T>>

/** What is asked of events, wherever they are kept: a spool answers most questions at once, a database later. */
export type EventStore = {
  readonly [
    Method in
      | Exclude<keyof Listing, 'onChange' | 'watchOthers'>
      | 'counts'
      | 'oldestPendingAgeMs'
      | 'retry'
      | 'discard'
  ]: (...args: Parameters<ListedSpool[Method]>) => Awaitable<ReturnType<ListedSpool[Method]>>
} & Pick<ListedSpool, 'setAside' | 'onChange'> & {
    readonly list: (...args: Parameters<ListedSpool['list']>) => Awaitable<(SpoolEntry & EventPlace)[]>
  } & Partial<Pick<ListedSpool, 'watchOthers'>>
