import { restMissing, type RestConfig, type ServiceChoice } from '../config/rest.ts'
import { Failure } from '../core/failure.ts'
import { ask, askAll } from './query.ts'
import type { RestClient } from './client.ts'
import { describeService, SERVICE_ANSWER, SERVICES_ANSWER, type Service } from './resources.ts'

const PURPOSE = { purpose: 'read the service', scope: 'services.read' }
/** Without it the integrations of a service are references that hold no key. */
const WITH_INTEGRATIONS = ['include[]', 'integrations'] as const
/** How many services a message names. */
const MAX_NAMED = 10

/**
 * The service that the user means, with its integrations.
 * @throws Failure of kind `config` if no service or several have the name
 */
export async function findService(client: RestClient, choice: ServiceChoice): Promise<Service> {
  if ('name' in choice) return await findByName(client, choice.name)
  const { service } = await ask(client, {
    ...PURPOSE,
    call: { method: 'GET', path: `/services/${choice.id}`, query: [WITH_INTEGRATIONS] },
    answer: SERVICE_ANSWER,
  })
  return service
}

/**
 * The id of the service that the user means, looked up only if the user gave a name.
 * @throws Failure as `findService` does
 */
export async function findServiceId(client: RestClient, choice: ServiceChoice): Promise<string> {
  return 'id' in choice ? choice.id : (await findByName(client, choice.name)).id
}

/** Services whose name contains the text, or simply the first ones. */
export async function listServices(client: RestClient, name = ''): Promise<Service[]> {
  const pages = await askAll(client, {
    ...PURPOSE,
    call: { method: 'GET', path: '/services', query: [['query', name], WITH_INTEGRATIONS] },
    answer: SERVICES_ANSWER,
  })
  return pages.flatMap(({ services }) => services)
}

async function findByName(client: RestClient, name: string): Promise<Service> {
  const services = await listServices(client, name)
  const isNamed = (service: Service): boolean =>
    (service.name ?? service.summary)?.toLowerCase() === name.toLowerCase()
  const [service, ...others] = services.filter(isNamed)
  if (service !== undefined && others.length === 0) return service
  const found = service === undefined ? services : [service, ...others]
  const known =
    found.length === 0 ? '' : `; there are ${found.slice(0, MAX_NAMED).map(describeService).join(', ')}`
  const problem = service === undefined ? 'no service has this name' : 'several services have this name'
  throw new Failure('config', `--service: ${problem}${known}. Set PAGERDUTY_SERVICE_ID instead`)
}

/**
 * What is needed to ask about a service.
 * @param what what needs it, as messages begin: `gate`, `--maintenance`
 * @throws Failure of kind `config` that says what is missing
 */
export function needService(
  what: string,
  rest: RestConfig,
): { token: NonNullable<RestConfig['token']>; service: ServiceChoice } {
  const { token, service } = rest
  if (token === undefined || service === undefined)
    throw new Failure('config', restMissing(what, rest) ?? what)
  return { token, service }
}
