import type { Session } from '../cli/session.ts'
import { composeSpool } from '../compose.ts'
import type { SpoolConfig } from '../config/spool.ts'
import { Failure } from '../core/failure.ts'
import type { Backend } from './backend.ts'
import { openRelayBackend } from './relay-backend.ts'
import { createStoreBackend } from './store-backend.ts'

/** Opens the relay that is configured, or else the fleet, or else the spool. @throws Failure of kind `usage` if there is none */
export async function openBackend(session: Session): Promise<Backend> {
  const { delivery, fleet, spool } = session.config
  if (delivery.relay !== undefined) return openRelayBackend(session)
  if (fleet !== undefined) return await (await import('./fleet-backend.ts')).openFleetBackend(session, fleet)
  if (spool !== undefined) return await openDirectory(session, spool)
  throw new Failure(
    'usage',
    `${session.command} needs a relay, a spool or a fleet: set PAGERDUTY_RELAY_URL, PAGERDUTY_SPOOL or PAGERDUTY_FLEET`,
  )
}

async function openDirectory({ config, log }: Session, options: SpoolConfig): Promise<Backend> {
  const spool = await composeSpool({ ...options, onWarning: (message) => log.warn(message) })
  const { deployments } = spool
  return {
    ...createStoreBackend({ store: spool, deployments, keys: config.delivery.keys }),
    close: () => spool.close(),
  }
}
