import type { Deadlines } from '../spool/deadlines.ts'
import type { DeploymentStore } from '../spool/deployment-log.ts'
import type { EventStore } from '../spool/listing.ts'
import type { KeyReport } from '../spool/worker/types.ts'
import type { Intake, RelayedFleet } from './context.ts'
import type { Metrics } from './metrics.ts'

/** What a relay accepts events with, and what it knows about them. */
export interface Parts {
  readonly intake: Intake
  readonly metrics: Metrics
  /** The events that are kept; absent if none are. */
  readonly spool?: EventStore
  readonly deployments: DeploymentStore
  readonly deadlines: Deadlines
  /** Why the next event would not be accepted; undefined if it would, or if there is no spool. */
  readonly checkKept: () => string | undefined
  readonly isDelivering: () => boolean
  readonly keys: () => KeyReport[]
  /** Absent if the relay is in no fleet. */
  readonly fleet?: RelayedFleet
}
