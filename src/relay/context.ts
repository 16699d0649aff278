import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { RelayConfig } from '../config/load-relay.ts'
import type { DeploymentLog } from '../spool/deployment-log.ts'
import type { Spool, SpoolItem } from '../spool/spool.ts'
import type { Metrics } from './metrics.ts'
import type { EventResult } from './result.ts'

/** What the routes work with. */
export interface RelayDeps {
  readonly config: RelayConfig
  readonly intake: Intake
  /** What is listed; absent where events are not kept. */
  readonly spool?: Spool | undefined
  /** The deployments that are remembered: by the spool, or else by this process. */
  readonly deployments: DeploymentLog
  readonly metrics: Metrics
  readonly logger: Logger
  /** Names the source of events where no repository is known. */
  readonly hostname: string
  /** Why no event can be taken now, or undefined where it can. Does not depend on PagerDuty. */
  readonly checkReady: () => string | undefined
  /** Whether the relay is about to end. */
  readonly isDraining: () => boolean
}

/** A request under way, with what its route works with. */
export interface Call {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly deps: RelayDeps
}

/** How long a caller is ready to wait. */
export interface Wait {
  readonly timeoutMs: number
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal
}

/** What takes events in: straight to PagerDuty, or into the spool. */
export interface Intake {
  /**
   * Takes events, all of one request. Never rejects.
   * @param wait how long the caller is ready to wait for the outcome where events are spooled; absent: not at all
   * @returns a result an event, in their order
   */
  take(items: readonly SpoolItem[], wait?: Wait): Promise<EventResult[]>
  /** Lets what is in flight finish for `graceMs`, breaks it off after that, and gives up connections and files. */
  close(graceMs: number): Promise<void>
}
