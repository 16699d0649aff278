import type { Logger } from 'pino'
import { composeRelayTransport, composeSpool, composeWorker } from '../compose.ts'
import type { RelayConfig } from '../config/load-relay.ts'
import type { SpoolConfig } from '../config/spool.ts'
import type { Transport } from '../delivery/transport.ts'
import type { KeyLookUp } from '../rest/remember-key.ts'
import { createResolver } from '../spool/worker/destinations.ts'
import { version } from '../version.ts'
import { createMemoryDeadlines, type MemoryDeadlines } from './deadlines-in-memory.ts'
import { createDeploymentRing } from './deployment-ring.ts'
import { createDirectIntake } from './direct-intake.ts'
import { createSpoolEvents, createWorkerEvents } from './log.ts'
import { createMetrics } from './metrics.ts'
import type { Parts } from './parts.ts'
import { createSpooledIntake } from './spooled-intake.ts'

interface IntakeOptions {
  readonly config: RelayConfig
  readonly logger: Logger
  readonly hostname: string
  readonly lookUp: KeyLookUp | undefined
}

/** Starts the intake: into the fleet or the spool if one is configured, else directly to PagerDuty. */
export async function startIntake({ config, logger, hostname, lookUp }: IntakeOptions): Promise<Parts> {
  const { delivery, spool: spoolConfig, fleet } = config
  const transport = composeRelayTransport(delivery)
  if (spoolConfig === undefined) return startDirectIntake(delivery, transport, lookUp)
  if (fleet !== undefined) {
    const { startFleetIntake } = await import('./fleet-intake.ts') // few relays have one
    return await startFleetIntake({ fleet, delivery, spoolConfig, logger, hostname, lookUp, transport })
  }
  return await startSpooledIntake({ config, logger, lookUp, transport, spoolConfig })
}

/** Starts an intake that sends events directly to PagerDuty. */
function startDirectIntake(
  delivery: RelayConfig['delivery'],
  transport: Transport,
  lookUp: KeyLookUp | undefined,
): Parts {
  const { timeoutMs, secrets } = delivery
  const deployments = createDeploymentRing()
  const deadlines: MemoryDeadlines = createMemoryDeadlines({
    deployments,
    send: (items) => intake.take(items),
  })
  const metrics = createMetrics({ deployments, deadlines })
  const resolve = createResolver(delivery, lookUp)
  const userAgent = `pagerduty-alert/${version}`
  const intake = createDirectIntake({
    transport,
    resolve,
    userAgent,
    timeoutMs,
    secrets,
    metrics,
    deployments,
    onAccepted: (event) => deadlines.ended(event),
  })
  return {
    metrics,
    deployments,
    deadlines,
    intake,
    checkKept: () => undefined,
    isDelivering: () => false,
    keys: () => [],
  }
}

interface SpooledOptions extends Omit<IntakeOptions, 'hostname'> {
  readonly transport: Transport
  readonly spoolConfig: SpoolConfig
}

/** Starts an intake that writes events to the spool, and the worker that delivers them. */
async function startSpooledIntake({
  config: { delivery },
  logger,
  lookUp,
  transport,
  spoolConfig,
}: SpooledOptions): Promise<Parts> {
  const spool = await composeSpool({ ...spoolConfig, ...createSpoolEvents(logger, () => metrics) })
  const metrics = createMetrics(spool, {
    counts: () => spool.counts(),
    oldestPendingAgeMs: () => spool.oldestPendingAgeMs(),
    isDelivering: () => worker.isDelivering(),
  })
  const events = createWorkerEvents(logger, metrics)
  const { worker } = await composeWorker({
    ...spoolConfig,
    spool,
    delivery,
    version,
    events,
    lookUp,
    transport,
  })
  const stopDelivery = async (graceMs: number): Promise<void> => {
    await worker.stop(graceMs)
    await transport.close()
  }
  const obstacle = (): string | undefined => worker.obstacle()
  return {
    metrics,
    spool,
    deployments: spool.deployments,
    deadlines: spool.deadlines,
    isDelivering: () => worker.isDelivering(),
    keys: () => worker.keys(),
    checkKept: () => obstacle() ?? spool.checkRoom() ?? spool.checkWritable(),
    intake: createSpooledIntake({ spool, metrics, obstacle, stopDelivery }),
  }
}
