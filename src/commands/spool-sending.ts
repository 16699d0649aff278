import type { DeliveryConfig } from '../config/delivery.ts'
import type { SpoolConfig } from '../config/spool.ts'
import type { Post } from '../delivery/request.ts'
import type { Delivery, Sender } from '../delivery/sender.ts'
import type { Log } from '../log.ts'
import type { KeyLookUp } from '../rest/remember-key.ts'
import type { ListedSpool } from '../spool/listing.ts'
import type { Progress } from '../spool/spool.ts'

/** Delivers a spool's events while this process waits for some of them. */
export interface OwnDelivery {
  /** Resolves with the progress of these events when none is pending, the time is over or the signal aborts. */
  waitFor(ids: readonly number[], timeoutMs: number, signal: AbortSignal): Promise<Progress[]>
  /** Gives attempts in flight time to finish. */
  stop(graceMs: number): Promise<void>
}

/** A fleet, as a command uses it that sends directly. */
export interface FleetLink {
  /** Posts that may not be sent now, and why: the fleet has earlier events of their alerts, or does not say so. */
  findHeld(posts: readonly Post[]): Promise<ReadonlyMap<Post, string>>
  /** Adds posts to the fleet, all or none. @returns why that failed, if it did */
  keep(posts: readonly Post[]): Promise<string | undefined>
  /** Records deployments whose events did not pass through the fleet. */
  note(deliveries: readonly Delivery[]): Promise<void>
  /** Moves a spool's events to the fleet, and delivers them with the other relays. */
  startDelivery(spool: ListedSpool, config: SpoolConfig): Promise<OwnDelivery>
  close(): Promise<void>
}

/** What posts are sent with, and where those that fail are kept. */
export interface SpoolSending {
  readonly sender: Sender
  readonly delivery: DeliveryConfig
  readonly config: SpoolConfig
  /** The fleet that the spool belongs to, if any. */
  readonly fleet?: FleetLink | undefined
  /** Finds the key that is not configured; resolves to undefined if there is none to find. */
  readonly lookUp: () => Promise<KeyLookUp | undefined>
  readonly log: Log
  readonly signal: AbortSignal
  /** When to stop waiting, on the scale of `performance.now()`. */
  readonly deadlineAtMs: number
}
