import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { RelayConfig } from '../config/load-relay.ts'
import type { DeploymentLog } from '../spool/deployment-log.ts'
import type { Spool, SpoolItem } from '../spool/spool.ts'
import type { Metrics } from './metrics.ts'
import type { EventResult } from './result.ts'

/** What the routes need. */
export interface RelayDeps {
  readonly config: RelayConfig
  readonly intake: Intake
  /** The spool that `/events` lists; absent if the relay has none. */
  readonly spool?: Spool | undefined
  /** The deployments that are remembered: by the spool, or else by this process. */
  readonly deployments: DeploymentLog
  readonly metrics: Metrics
  readonly logger: Logger
  /** The source of events if no repository is known. */
  readonly hostname: string
  /** Why events cannot be accepted now; undefined if they can. Does not depend on PagerDuty. */
  readonly checkReady: () => string | undefined
  /** Whether the relay is shutting down. */
  readonly isDraining: () => boolean
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
