import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { RelayConfig } from '../config/load-relay.ts'
import type { Mask } from '../core/mask-event.ts'
import type { FleetFigures } from '../fleet/relay-fleet.ts'
import type { Deadlines } from '../spool/deadlines.ts'
import type { DeploymentStore } from '../spool/deployment-log.ts'
import type { EventStore } from '../spool/listing.ts'
import type { SpoolItem } from '../spool/spool.ts'
import type { KeyReport } from '../spool/worker/types.ts'
import type { Access } from './access.ts'
import type { Metrics } from './metrics.ts'
import type { EventResult } from './result.ts'

/** What the routes need. */
export interface RelayDeps {
  readonly config: RelayConfig
  readonly intake: Intake
  /** The spool that `/events` lists; absent if the relay has none. */
  readonly spool?: EventStore | undefined
  /** The deployments that are remembered: by the spool, or else by this process. */
  readonly deployments: DeploymentStore
  /** The deployments that have begun and must end, of the same memory. */
  readonly deadlines: Deadlines
  readonly metrics: Metrics
  readonly logger: Logger
  /** The source of events if no repository is known. */
  readonly hostname: string
  /** Why events cannot be accepted now; undefined if they can. Does not depend on PagerDuty. */
  readonly checkReady: () => string | undefined
  /** Aborts when the relay is about to end. */
  readonly draining: AbortSignal
  readonly access: Access
  /** Masks the key that is looked up in texts that arrived before; absent if the key is configured. */
  readonly hide?: Mask | undefined
  /** Whether there is a web page. */
  readonly isPageOn: boolean
  /** Milliseconds since 1970. */
  readonly startedAtMs: number
  readonly now: () => number
  /** Whether this process delivers what the spool holds. */
  readonly isDelivering: () => boolean
  /** The state of each routing key that recently had something to deliver. */
  readonly keys: () => KeyReport[]
  /** Absent if the relay is in no fleet. */
  readonly fleet?: RelayedFleet
}

/** The fleet that a relay is in. */
export interface RelayedFleet {
  readonly figures: () => FleetFigures
  /** How many events that this relay (or all of them) accepted are not settled; rejects with a `Failure` while that is not known. */
  readonly pending: (scope: 'own' | 'all') => Promise<number>
}

/** A request in progress, and what its route needs. */
export interface Call {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly deps: RelayDeps
}

/** How long a caller is willing to wait. */
export interface Wait {
  readonly timeoutMs: number
  /** Aborts when the caller closes the connection. */
  readonly signal: AbortSignal
}

/** Accepts events: sends them straight to PagerDuty, or writes them to the spool. */
export interface Intake {
  /**
   * Accepts the events of one request. Never rejects.
   * @param wait with a spool, how long the caller waits for the delivery; default: not at all
   * @returns one result for each event, in order
   */
  take(items: readonly SpoolItem[], wait?: Wait): Promise<EventResult[]>
  /** Gives requests in flight `graceMs` to finish, then aborts them, and closes connections and files. */
  close(graceMs: number): Promise<void>
}
