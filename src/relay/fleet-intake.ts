import type { Logger } from 'pino'
import { composeRelayFleet, composeSpool } from '../compose.ts'
import type { DeliveryConfig } from '../config/delivery.ts'
import type { FleetConfig } from '../config/fleet.ts'
import type { SpoolConfig } from '../config/spool.ts'
import type { Transport } from '../delivery/transport.ts'
import type { EngineState } from '../fleet/engine.ts'
import { readOrigin } from '../fleet/origin.ts'
import type { RelayFleet } from '../fleet/relay-fleet.ts'
import type { KeyLookUp } from '../rest/remember-key.ts'
import type { Deadlines } from '../spool/deadlines.ts'
import type { DeploymentStore } from '../spool/deployment-log.ts'
import type { ListedSpool } from '../spool/listing.ts'
import type { WorkerEvents } from '../spool/worker/types.ts'
import { version } from '../version.ts'
import type { Intake } from './context.ts'
import { createSpoolEvents, createWorkerEvents } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import type { Parts } from './parts.ts'
import { notAdded, resultOf, turnAway } from './spooled-intake.ts'

export interface FleetIntakeOptions {
  readonly fleet: FleetConfig
  readonly delivery: DeliveryConfig
  readonly spoolConfig: SpoolConfig
  readonly logger: Logger
  readonly hostname: string
  readonly lookUp: KeyLookUp | undefined
  readonly transport: Transport
}

/** Starts the intake of a relay that shares its queue with others. */
export async function startFleetIntake(options: FleetIntakeOptions): Promise<Parts> {
  const { spoolConfig, logger, transport } = options
  const spool = await composeSpool({ ...spoolConfig, ...createSpoolEvents(logger, () => metrics) })
  const deployments: DeploymentStore = {
    list: (query) => shared.deployments.list(query),
    endedSince: (sinceMs) => shared.deployments.endedSince(sinceMs),
    note: (deployment, told) => shared.deployments.note(deployment, told),
  }
  const deadlines: Deadlines = {
    begin: (start) => shared.deadlines.begin(start),
    expire: () => shared.deadlines.expire(),
    counts: () => shared.deadlines.counts(),
  }
  const metrics = createMetrics(
    { deployments, deadlines },
    {
      counts: () => spool.counts(),
      oldestPendingAgeMs: () => spool.oldestPendingAgeMs(),
      isDelivering: () => shared.figures().isAlone,
    },
    { counts: () => shared.store.counts(), figures: () => shared.figures() },
  )
  const shared: RelayFleet = await composeRelayFleet({
    ...options,
    ...spoolConfig,
    origin: readOrigin(spoolConfig.directory, options.hostname),
    spool,
    version,
    events: (source) => eventsOf(createWorkerEvents(logger, metrics), source === 'fleet'),
    onWarning: (message) => logger.warn(message),
    onState: (state) => logState(logger, state),
  })
  return {
    metrics,
    spool: shared.store,
    deployments,
    deadlines,
    fleet: shared,
    isDelivering: () => shared.figures().state.kind === 'up',
    keys: () => shared.keys(),
    checkKept: () => checkKept(shared, spool),
    intake: createFleetIntake({ shared, spool, metrics, transport }),
  }
}

/** The database alone is enough, and so is the spool. */
function checkKept(shared: RelayFleet, spool: ListedSpool): string | undefined {
  const { state, isBehindSpool } = shared.figures()
  if (state.kind === 'up' && !isBehindSpool) return shared.checkRoom()
  return shared.obstacle() ?? spool.checkRoom() ?? spool.checkWritable()
}

/** Each key of a fleet has its own lease, and `onState` reports the database. */
function eventsOf(events: WorkerEvents, isFleet: boolean): WorkerEvents {
  return {
    ...events,
    onLock: (isHeld) => {
      if (!isFleet && !isHeld) events.onLock(isHeld)
    },
    onStoreProblem: (reason) => {
      if (!isFleet) events.onStoreProblem(reason)
    },
  }
}

function logState(logger: Logger, state: EngineState): void {
  if (state.kind === 'up') logger.info(`the fleet’s database answers: ${state.host}`)
  else if (state.isConfiguration) logger.error(`the fleet’s database cannot be used: ${state.reason}`)
  else logger.warn(`the fleet’s database cannot be reached, so events go to the spool: ${state.reason}`)
}

interface FleetIntakeDeps {
  readonly shared: RelayFleet
  readonly spool: ListedSpool
  readonly metrics: Metrics
  readonly transport: Transport
}

/** With a fleet: an event is accepted once the database has committed it, or else once it is synced to the spool. */
function createFleetIntake({ shared, spool, metrics, transport }: FleetIntakeDeps): Intake {
  const closing = new AbortController()
  return {
    take: async (items, wait) => {
      const full = shared.checkRoom()
      if (full !== undefined) return items.map((item) => turnAway(item, full))
      const accepted = await shared.add(items)
      if (accepted.kind !== 'added') return notAdded(items, accepted)
      for (const { event } of items) metrics.accepted(event.kind)
      const by = accepted.by === undefined ? {} : { acceptedBy: accepted.by }
      if (wait === undefined) return items.map(({ event }) => ({ kind: 'queued', event, ...by }))
      const signal = AbortSignal.any([wait.signal, closing.signal])
      const progress = await shared.waitFor(accepted, { timeoutMs: wait.timeoutMs, signal })
      return items.map((item, index) => ({ ...resultOf(item, progress[index]), ...by }))
    },
    close: async (graceMs) => {
      await shared.stop(graceMs)
      closing.abort() // callers that still wait get the answer that the event is queued
      await transport.close()
      await spool.close()
    },
  }
}
