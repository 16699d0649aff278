import type { RestConfig } from '../config/rest.ts'
import { Failure } from '../core/failure.ts'
import { parseRoutingKeys, type RoutingKey } from '../core/routing-key.ts'
import { ask } from './query.ts'
import type { RestClient } from './client.ts'
import { describeService, INTEGRATION_ANSWER, type Integration, type Service } from './resources.ts'
import { findService, findServiceId, needService } from './service.ts'

/** The kind of integration that takes events (PagerDuty's OpenAPI); references append `_reference`. */
const EVENTS_V2 = 'events_api_v2_inbound_integration'
const READING = { purpose: 'read the service’s integration', scope: 'services.read' }

/**
 * The routing key of the configured service's Events API v2 integration.
 * @throws Failure of kind `config` if the service has none, several, or the wrong kind; otherwise as `ask` does
 */
export async function lookUpKey(client: RestClient, rest: RestConfig): Promise<RoutingKey> {
  const { service: choice } = needService('looking up the key', rest)
  if (rest.integrationId !== undefined) {
    const serviceId = await findServiceId(client, choice)
    return keyOf(await readIntegration(client, serviceId, rest.integrationId))
  }
  const service = await findService(client, choice)
  const integrations = await listEventsIntegrations(client, service)
  const [integration, ...others] = integrations
  if (integration === undefined) {
    if (rest.createIntegration) return keyOf(await createIntegration(client, service.id))
    throw new Failure('config', `the service ${describeService(service)} ${NO_INTEGRATION}`)
  }
  if (others.length === 0) return keyOf(integration)
  const names = integrations.map(describeIntegration).join(', ')
  throw new Failure(
    'config',
    `the service ${describeService(service)} has several Events API v2 integrations: ${names}. ` +
      'Choose one with PAGERDUTY_INTEGRATION_ID',
  )
}

const NO_INTEGRATION =
  'has no Events API v2 integration: in PagerDuty open the service, tab Integrations, and add "Events API V2"; or give ' +
  'the option --create-integration (the token then needs services.write)'

/** The service's integrations that accept events. If the answer has bare references, each is read with a call of its own. */
export async function listEventsIntegrations(client: RestClient, service: Service): Promise<Integration[]> {
  const candidates = service.integrations.filter(({ type }) => type === undefined || mayTakeEvents(type))
  const whole = await Promise.all(
    candidates.map(async (integration) => {
      const isWhole =
        integration.integration_key !== undefined && integration.type?.endsWith('_reference') !== true
      return isWhole ? integration : await readIntegration(client, service.id, integration.id)
    }),
  )
  return whole.filter(({ type }) => type === undefined || type === EVENTS_V2)
}

/** A reference may name the kind, or only that it is an integration that receives. */
function mayTakeEvents(type: string): boolean {
  return type === EVENTS_V2 || type === `${EVENTS_V2}_reference` || type === 'inbound_integration_reference'
}

async function readIntegration(
  client: RestClient,
  serviceId: string,
  integrationId: string,
): Promise<Integration> {
  const path = `/services/${serviceId}/integrations/${integrationId}`
  const { integration } = await ask(client, {
    ...READING,
    call: { method: 'GET', path },
    answer: INTEGRATION_ANSWER,
  })
  return integration
}

async function createIntegration(client: RestClient, serviceId: string): Promise<Integration> {
  const integration = {
    type: EVENTS_V2,
    name: 'pagerduty-alert',
    service: { id: serviceId, type: 'service_reference' },
  }
  const { integration: created } = await ask(client, {
    purpose: 'add an integration to the service',
    scope: 'services.write',
    call: {
      method: 'POST',
      path: `/services/${serviceId}/integrations`,
      body: { integration },
      isOnce: true,
    },
    answer: INTEGRATION_ANSWER,
  })
  return created
}

/** The key of an integration, under the integration's id. */
function keyOf(integration: Integration): RoutingKey {
  const { type, integration_key: text = '' } = integration
  if (type !== undefined && !mayTakeEvents(type)) {
    throw new Failure(
      'config',
      `the integration ${describeIntegration(integration)} is not an Events API v2 integration, so its key cannot send ` +
        'events; set PAGERDUTY_INTEGRATION_ID to one that is',
    )
  }
  try {
    const [key] = parseRoutingKeys(text)
    if (key !== undefined) return { ...key, alias: integration.id, isLookedUp: true }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
  }
  throw new Failure(
    'config',
    `PagerDuty gave no usable key for the integration ${describeIntegration(integration)}; it may be hidden from the token`,
  )
}

function describeIntegration({ id, name, summary }: Integration): string {
  const title = name ?? summary
  return title === undefined ? id : `${title} (${id})`
}

/** The line to log when a key was looked up, so that a user sees which integration gets the events. */
export function describeFoundKey({ alias, key }: RoutingKey): string {
  return `routing key ${key.masked()} looked up: integration ${alias}`
}
