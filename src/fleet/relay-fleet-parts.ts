import type { DeliveryConfig } from '../config/delivery.ts'
import type { FleetConfig } from '../config/fleet.ts'
import type { RoutingKey } from '../core/routing-key.ts'
import type { Clock } from '../delivery/retry.ts'
import type { ListedSpool } from '../spool/listing.ts'
import type { SpoolKey, SpoolQueue } from '../spool/spool.ts'
import type { Worker, WorkerEvents } from '../spool/worker/types.ts'
import type { AlertHolds } from './alert-holds.ts'
import type { Engine, EngineState } from './engine.ts'
import type { Origin } from './origin.ts'
import type { FleetWaiting } from './waiting.ts'

/** What a worker delivers from: the fleet, or the relay's own spool; there, if the fleet is away, more slowly. */
export type Source = 'fleet' | 'spool' | 'alone'

export interface RelayFleetOptions {
  readonly engine: Engine
  readonly origin: Origin
  readonly fleet: Pick<FleetConfig, 'aloneAfterMs' | 'limit'>
  readonly spool: ListedSpool
  readonly clock: Clock
  readonly delivery: Pick<DeliveryConfig, 'keys' | 'timeoutMs'>
  /** Attempts per minute and key, of all relays together. */
  readonly ratePerMinute: number
  readonly launchWorker: (options: StartedWorker) => Worker
  /** Gets what a worker does. */
  readonly events: (source: Source) => WorkerEvents
  /** The keys that were looked up so far, if none are configured. */
  readonly foundKeys: () => readonly RoutingKey[]
  /** Gets what is wrong with the settings of the fleet's relays. */
  readonly onWarning: (message: string) => void
  /** Called when the database answers, is away, or is away for another reason. */
  readonly onState: (state: EngineState) => void
}

/** What a worker delivers from, and how. */
export interface StartedWorker {
  readonly queue: SpoolQueue
  readonly ratePerMinute: number
  readonly events: WorkerEvents
}

/** What the parts of a relay share. */
export interface FleetParts {
  /** The name of a key in the fleet. */
  readonly canonical: (key: SpoolKey) => SpoolKey
  /** Whether the fleet takes events of the key. */
  readonly isShared: (key: SpoolKey) => boolean
  readonly waiting: FleetWaiting
  readonly holds: AlertHolds
  /** Whether the fleet takes what is moved to it, as far as this was tried. */
  readonly moving: Moving
}

export interface Moving {
  /** `stuck`: the database can be reached, and answers with an error, such as that its disk is full. */
  state: 'fine' | 'stuck' | 'untried'
}
