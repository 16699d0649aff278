import type { Session } from '../cli/session.ts'
import { eventInput } from '../core/build-event.ts'
import type { Event } from '../core/event.ts'
import { createMask } from '../core/mask-event.ts'
import { buildStarted } from '../core/started.ts'
import { createRelayReporter } from './relay-start-reporter.ts'
import { createSpoolReporter } from './spool-start-reporter.ts'
import type { StartReporter } from './start-reporter.ts'

/**
 * Opens the relay, or else the fleet, or else the spool that watches the clock for deployments. Undefined if none is configured.
 * @param startedAt when the deployment began, ISO 8601
 * @throws Failure of kind `usage` if no outcome could be matched to the deployment
 */
export async function openStartReporter(
  session: Session,
  startedAt: string,
): Promise<StartReporter | undefined> {
  const { delivery, fleet, spool } = session.config
  if (delivery.relay === undefined && fleet === undefined && spool === undefined) return undefined
  const event = startedEvent(session, startedAt)
  if (delivery.relay !== undefined) return createRelayReporter(session, event)
  const ofSpool = spool && createSpoolReporter({ session, spool, event })
  if (fleet === undefined) return ofSpool
  const { createFleetReporter } = await import('./fleet-start-reporter.ts') // few have one
  return createFleetReporter({ session, fleet, event, spool: ofSpool })
}

function startedEvent({ config, identity }: Session, startedAt: string): Event {
  const { fields, choices } = config.event
  const nowIso = new Date().toISOString()
  const result = { startedAt }
  const input = eventInput({ fields, choices, build: config.build, identity, result, nowIso })
  return createMask(config.delivery.secrets)(buildStarted(input))
}
