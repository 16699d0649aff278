import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { RelayConfig } from '../config/load-relay.ts'
import type { Spool } from '../spool/spool.ts'
import type { Intake } from './intake.ts'
import type { Metrics } from './metrics.ts'

/** What the routes work with. */
export interface RelayDeps {
  readonly config: RelayConfig
  readonly intake: Intake
  /** What is listed; absent where events are not kept. */
  readonly spool?: Spool | undefined
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
