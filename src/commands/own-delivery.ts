import { composeWorker } from '../compose.ts'
import { formatMs } from '../core/duration.ts'
import type { Log } from '../log.ts'
import type { ListedSpool } from '../spool/listing.ts'
import type { WorkerEvents } from '../spool/worker/types.ts'
import { version } from '../version.ts'
import type { OwnDelivery, SpoolSending } from './spool-sending.ts'

/** Starts to deliver a spool, through its fleet if it belongs to one. */
export async function startOwnDelivery(sending: SpoolSending, spool: ListedSpool): Promise<OwnDelivery> {
  if (sending.fleet !== undefined) return await sending.fleet.startDelivery(spool, sending.config)
  const { worker, transport } = await composeWorker({
    spool,
    delivery: sending.delivery,
    maxAgeMs: sending.config.maxAgeMs,
    lookUp: await sending.lookUp(),
    version,
    events: logRetries(sending.log),
  })
  return {
    waitFor: (ids, timeoutMs, signal) => spool.waitFor(ids, timeoutMs, signal),
    stop: async (graceMs) => {
      await worker.stop(graceMs)
      await transport.close()
    },
  }
}

function logRetries(log: Log): WorkerEvents {
  return {
    onDelivered: () => undefined,
    onRetry: ({ attempts, reason, delayMs }) =>
      log.info(`attempt ${attempts} from the spool failed: ${reason}; next try in ${formatMs(delayMs)}`),
    onDead: ({ reason }) => log.error(`an event in the spool was refused: ${reason}`),
    onLock: () => undefined,
    onStoreProblem: (reason) => {
      if (reason !== undefined) log.warn(reason)
    },
  }
}
