import type { Secret } from '../../core/secret.ts'
import type { Clock } from '../../delivery/retry.ts'
import type { Resolve } from './destinations.ts'
import type { DeadCause, DueEvent, Spool, SpoolKey } from '../spool.ts'
import type { Transport } from '../../delivery/transport.ts'

/** The result of an attempt, for logs and metrics. Do not log `event.body`. */
export interface AttemptReport {
  readonly event: DueEvent
  readonly key: SpoolKey
  /** Attempts so far, including this one. */
  readonly attempts: number
  /** How long the attempt took. */
  readonly attemptMs: number
  /** Time since the event was accepted. */
  readonly ageMs: number
  readonly httpStatus?: number
}

/** Callbacks of a worker. Each is synchronous and must not throw. */
export interface WorkerEvents {
  /** PagerDuty accepted the event, and that is written to the spool, or remembered until it can be. */
  readonly onDelivered: (report: AttemptReport) => void
  /** The attempt failed; the next one is in `delayMs` at the earliest. */
  readonly onRetry: (report: AttemptReport & { readonly reason: string; readonly delayMs: number }) => void
  /** The event is dead: it stays in the spool, and nothing retries it. */
  readonly onDead: (report: AttemptReport & { readonly reason: string; readonly cause: DeadCause }) => void
  /** This process has started to deliver, or another process was already delivering when this one started. */
  readonly onLock: (isHeld: boolean) => void
  /** The spool cannot be read or written. Called once per reason, and with undefined when the spool works again. */
  readonly onStoreProblem: (reason: string | undefined) => void
}

export interface WorkerDeps {
  readonly spool: Pick<Spool, 'queue'>
  readonly transport: Transport
  readonly clock: Clock
  /** Where a key's events go; while there is no destination, they wait. */
  readonly resolve: Resolve
  readonly userAgent: string
  /** Time limit of one attempt. */
  readonly timeoutMs: number
  /** How long to retry an event before it is dead. */
  readonly maxAgeMs: number
  /** Attempts per minute and key; Infinity for no limit. */
  readonly ratePerMinute: number
  /** Masked in everything that a server answers. */
  readonly secrets: readonly Secret[]
  readonly events: WorkerEvents
}

/** The state of a routing key. Times are milliseconds since 1970. */
export interface KeyReport {
  /** One of its names. */
  readonly key: SpoolKey
  readonly usedLastMinute: number
  /** Attempts per minute; Infinity for no limit. */
  readonly perMinute: number
  /** PagerDuty answered 429, or fails: no attempt of a new event before then. */
  readonly pausedUntilMs?: number
  /** A new event of this kind is not attempted before then, because of a pause or of the rate limit. Absent: at once. */
  readonly nextAlertAtMs?: number
  readonly nextChangeAtMs?: number
  /** Since this process delivers. */
  readonly lastDeliveredAtMs?: number
}

/** Delivers a spool while no other process does. */
export interface Worker {
  /** Whether this process holds the delivery lock. */
  isDelivering(): boolean
  /** Keys that recently had something to deliver; none while another process delivers. */
  keys(): KeyReport[]
  /** Why no process can deliver, as far as this one knows; undefined if this or another process can. */
  obstacle(): string | undefined
  /**
   * Stops: starts no more attempts, gives those in flight `graceMs` to finish and then aborts them, writes their results,
   * and releases the lock. Events that are not settled stay in the spool.
   */
  stop(graceMs: number): Promise<void>
}
