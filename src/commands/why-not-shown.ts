import { Failure } from '../core/failure.ts'
import type { Post } from '../delivery/request.ts'
import { listAddOns } from '../rest/abilities.ts'
import type { RestClient } from '../rest/client.ts'
import { listEventsIntegrations } from '../rest/look-up-key.ts'
import { describeService, type Service } from '../rest/resources.ts'

/** Why PagerDuty drops everything that a service is sent at the moment; undefined if it does not. */
export function whyDropped(service: Service): string | undefined {
  const where = describeService(service)
  if (service.status === 'disabled') return `${where} is disabled, and PagerDuty drops its events`
  if (service.status === 'maintenance')
    return `${where} is in maintenance, and PagerDuty drops its events until that ends`
  return undefined
}

/**
 * Why an event that PagerDuty has accepted is shown nowhere.
 * @returns undefined if that cannot be found out; never throws
 */
export async function whyNotShown(
  client: RestClient,
  service: Service,
  { event, destination }: Post,
): Promise<string | undefined> {
  try {
    if (!(await hasKey(client, service, destination.routingKey?.reveal())))
      return `no integration of ${describeService(service)} has its key: another service has it, or it was deleted`
    if (event.kind === 'change' && (await listAddOns(client)).length === 0)
      return 'the account seems to have no AIOps, the add-on that makes PagerDuty show change events'
  } catch (error) {
    if (!(error instanceof Failure)) throw error
  }
  if (destination.routingKey === undefined)
    return 'the relay may still have it (flush waits for that), or its key belongs to another service'
  if (event.kind === 'change') return 'it is not listed; PagerDuty may be late'
  return event.body.event_action === 'trigger'
    ? 'it is not listed; an event rule or orchestration may have suppressed it, or PagerDuty is late'
    : undefined
}

/** Whether a service has an integration with a key; true if the key is not known here, since a relay has it. */
async function hasKey(client: RestClient, service: Service, key: string | undefined): Promise<boolean> {
  if (key === undefined) return true
  const integrations = await listEventsIntegrations(client, service)
  return integrations.some(({ integration_key: known }) => known === key)
}
