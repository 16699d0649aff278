import type { Secret } from '../../core/secret.ts'
import type { Clock } from '../../delivery/retry.ts'
import type { Resolve } from './destinations.ts'
import type { DeadCause, DueEvent, Spool, SpoolKey } from '../spool.ts'
import type { Transport } from '../../delivery/transport.ts'

/** An attempt's result as logs and metrics want it. `event.body` is not to be logged. */
export interface DrainReport {
  readonly event: DueEvent
  readonly key: SpoolKey
  /** Attempts made by now, this one included. */
  readonly attempts: number
  /** Time that the attempt took. */
  readonly attemptMs: number
  /** Time since the event was accepted. */
  readonly ageMs: number
  readonly httpStatus?: number
}

/** What a drain tells. Every callback is synchronous and must not throw. */
export interface DrainEvents {
  /** PagerDuty has it, and that is written down, or remembered until it can be. */
  readonly onDelivered: (report: DrainReport) => void
  /** It is tried again after `delayMs` at the earliest. */
  readonly onRetry: (report: DrainReport & { readonly reason: string; readonly delayMs: number }) => void
  /** It is parked. */
  readonly onDead: (report: DrainReport & { readonly reason: string; readonly cause: DeadCause }) => void
  /** This process has begun to deliver, or found at its first look that another one does. */
  readonly onLease: (isHeld: boolean) => void
  /** The spool cannot be written or read; said once until it works again, which is said with undefined. */
  readonly onTrouble: (reason: string | undefined) => void
}

export interface DrainDeps {
  readonly spool: Spool
  readonly transport: Transport
  readonly clock: Clock
  /** Where a key's events go; while that is nowhere they wait. */
  readonly resolve: Resolve
  readonly userAgent: string
  /** Budget of one attempt. */
  readonly timeoutMs: number
  /** How long an event may fail before it is parked as dead. */
  readonly maxAgeMs: number
  /** Attempts per minute and key; Infinity for none. */
  readonly ratePerMinute: number
  /** Masked in whatever a server says. */
  readonly secrets: readonly Secret[]
  readonly events: DrainEvents
}

/** Delivers a spool, as long as no other process does. */
export interface Drain {
  /** Whether this process holds the lease. */
  isDelivering(): boolean
  /** Why nobody may deliver as far as this process can tell; undefined where it does or another one may. */
  obstacle(): string | undefined
  /**
   * Starts no more attempts, lets those in flight finish for `graceMs` and breaks them off after that, writes down what
   * came of them, and gives up the lease. What is left stays in the spool.
   */
  stop(graceMs: number): Promise<void>
}
