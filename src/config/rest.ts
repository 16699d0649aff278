import { Failure } from '../core/failure.ts'
import { tokenKind } from '../core/routing-key.ts'
import type { Secret } from '../core/secret.ts'
import type { DeliveryConfig } from './delivery.ts'
import { parseBaseUrl, parseBearerToken } from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** How PagerDuty's REST API is reached. */
export const REST_SETTINGS = inGroup('rest', {
  apiToken: {
    variable: 'PAGERDUTY_API_TOKEN',
    value: 'TOKEN',
    secret: true,
    parse: parseApiToken,
    help: 'REST API token; wins over one in PAGERDUTY_TOKEN',
  },
  service: {
    option: 'service',
    value: 'NAME',
    help: 'name of the service; wins over PAGERDUTY_SERVICE_ID',
  },
  serviceId: {
    variable: 'PAGERDUTY_SERVICE_ID',
    value: 'ID',
    parse: parseResourceId,
    help: 'id of the service (PXXXXXX), or the address of its page in PagerDuty; if no routing key is set, its key is looked up',
  },
  integrationId: {
    variable: 'PAGERDUTY_INTEGRATION_ID',
    value: 'ID',
    parse: parseResourceId,
    help: 'which integration’s key to use, if the service has several Events API v2 integrations',
  },
  createIntegration: {
    option: 'create-integration',
    help: 'add an Events API v2 integration to the service if it has none',
  },
  from: {
    variable: 'PAGERDUTY_FROM',
    value: 'EMAIL',
    parse: parseEmail,
    help: 'e-mail address of a PagerDuty user; required for writes with an account-level token',
  },
  apiUrl: {
    variable: 'PAGERDUTY_API_URL',
    value: 'URL',
    parse: parseBaseUrl,
    help: 'base URL of the REST API, instead of the region’s; a path prefix is kept',
  },
})

/** What a deployment adds to PagerDuty besides events. */
export const NOTE_SETTINGS = inGroup('note', {
  note: {
    option: 'note',
    help: 'add a note about the deployment to the service’s open incidents',
  },
})

/** Whether PagerDuty is asked for what it was sent. */
export const CONFIRM_SETTINGS = inGroup('confirm', {
  confirm: {
    option: 'confirm',
    help: 'after the events are accepted, check for up to 20 s that PagerDuty shows them, and say why not; needs a REST API token',
  },
})

/** How PagerDuty's REST API is reached, and which service is meant. */
export interface RestConfig {
  /** Base URL without a slash at the end. */
  readonly apiUrl: string
  /** Absent if none is set: then the REST API cannot be called. */
  readonly token?: Secret
  /** The variable that the token came from. */
  readonly tokenOrigin?: string
  readonly service?: ServiceChoice
  readonly integrationId?: string
  /** Whether a service without an Events API v2 integration gets one. */
  readonly createIntegration: boolean
  /** The user in whose name an account-level token writes. */
  readonly from?: string
}

/** The service as the user names it. */
export type ServiceChoice = { readonly id: string } | { readonly name: string }

/** support.pagerduty.com "Service regions". */
const API_URL = { us: 'https://api.pagerduty.com', eu: 'https://api.eu.pagerduty.com' } as const

/** Reads the settings of the REST API. `PAGERDUTY_TOKEN` counts if it has the shape of a REST API token. */
export function readRestConfig(
  reader: Reader<keyof typeof REST_SETTINGS | 'token'>,
  region: DeliveryConfig['region'],
): RestConfig {
  const read = valuesOf(reader, REST_SETTINGS)
  const named = read('apiToken')
  const token = named ?? reader.one('token', restTokenIn)
  const tokenOrigin = token && reader.traced(named === undefined ? 'token' : 'apiToken')?.origin
  const name = read('service')
  const id = read('serviceId')
  const service = name !== undefined ? { name } : id !== undefined ? { id } : undefined
  const integrationId = read('integrationId')
  const from = read('from')
  return {
    apiUrl: read('apiUrl') ?? API_URL[region],
    ...(token && { token }),
    ...(tokenOrigin !== undefined && { tokenOrigin }),
    ...(service && { service }),
    ...(integrationId !== undefined && { integrationId }),
    createIntegration: read('createIntegration'),
    ...(from !== undefined && { from }),
  }
}

/**
 * What to set so that something can ask about a service; undefined if nothing is missing.
 * @param what what needs it, as messages begin: `gate`, `--maintenance`
 */
export function restMissing(
  what: string,
  { token, service }: Pick<RestConfig, 'token' | 'service'>,
): string | undefined {
  if (token === undefined) {
    return (
      `${what} asks PagerDuty’s REST API, which takes no integration key: put a REST API token into PAGERDUTY_API_TOKEN ` +
      '(in PagerDuty: Integrations, API Access Keys; or your profile, User Settings)'
    )
  }
  if (service !== undefined) return undefined
  return `${what} needs to know the service: set PAGERDUTY_SERVICE_ID (the end of its address in PagerDuty) or --service NAME`
}

function parseApiToken(text: string): Secret {
  if (tokenKind(text) === 'routing-key') {
    throw new Failure(
      'config',
      'this is an integration (routing) key, which can only send events: set it as PAGERDUTY_TOKEN or ' +
        'PAGERDUTY_ROUTING_KEY instead. The REST API needs a REST API token (20 characters): create one in PagerDuty ' +
        'under Integrations, API Access Keys, or in your profile under User Settings',
    )
  }
  return parseBearerToken(text)
}

/** The token if the text has the shape of one; any such text is allowed in a header, or `parseApiToken` refuses it. */
function restTokenIn(text: string): Secret | undefined {
  return tokenKind(text) === 'rest-token' ? parseApiToken(text) : undefined
}

/** An id such as `PXXXXXX`, or the address of a page that ends in it, as copied from a browser. */
function parseResourceId(text: string): string {
  const id = /^(?:https:\/\/\S+\/)?([A-Za-z0-9]{1,32})\/?$/.exec(text)?.[1]
  if (id === undefined)
    throw new Failure('usage', 'must be an id such as PXXXXXX, or the address of its page in PagerDuty')
  return id
}

function parseEmail(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text) || !/.@./.test(text))
    throw new Failure('usage', 'must be the e-mail address of a PagerDuty user')
  return text
}
