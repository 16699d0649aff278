import { Failure } from '../core/failure.ts'
import { tokenKind } from '../core/routing-key.ts'
import { createSecret, type Secret } from '../core/secret.ts'
import type { DeliveryConfig } from './read-delivery.ts'
import type { Reader } from './reader.ts'
import { parseBaseUrl, parseBoolean, parseChoice, parseDurationMs } from './parsers.ts'

/** How PagerDuty's REST API is reached, and which service is meant. */
export interface RestConfig {
  /** Base URL without a slash at the end. */
  readonly apiUrl: string
  /** Absent where none is set: nothing can be asked. */
  readonly token?: Secret
  /** The variable that it came from. */
  readonly tokenOrigin?: string
  readonly service?: ServiceChoice
  readonly integrationId?: string
  /** Whether a service without an Events API v2 integration gets one. */
  readonly createIntegration: boolean
  /** In whose name an account's token writes. */
  readonly from?: string
}

/** The service as the user names it. */
export type ServiceChoice = { readonly id: string } | { readonly name: string }

/** support.pagerduty.com "Service regions". */
const API_URL = { us: 'https://api.pagerduty.com', eu: 'https://api.eu.pagerduty.com' } as const

/** Reads the settings of the REST API. `PAGERDUTY_TOKEN` counts where its shape is that of a REST API token. */
export function readRestConfig(reader: Reader, region: DeliveryConfig['region']): RestConfig {
  const named = reader.one('apiToken', parseApiToken)
  const token = named ?? reader.one('token', restTokenIn)
  const tokenOrigin = token && reader.traced(named === undefined ? 'token' : 'apiToken')?.origin
  const name = reader.one('service', (text) => text)
  const id = reader.one('serviceId', parseResourceId)
  const service = name !== undefined ? { name } : id !== undefined ? { id } : undefined
  const integrationId = reader.one('integrationId', parseResourceId)
  const from = reader.one('from', parseEmail)
  return {
    apiUrl: reader.one('apiUrl', parseBaseUrl) ?? API_URL[region],
    ...(token && { token }),
    ...(tokenOrigin !== undefined && { tokenOrigin }),
    ...(service && { service }),
    ...(integrationId !== undefined && { integrationId }),
    createIntegration: reader.isSet('createIntegration'),
    ...(from !== undefined && { from }),
  }
}

/** When `gate` opens. */
export interface GateConfig {
  /** The urgency that counts; absent: both. */
  readonly urgency?: 'high' | 'low'
  readonly allowRollback: boolean
  /** What the pipeline says; absent: the commit decides. */
  readonly isRollback?: boolean
  readonly waitMs?: number
}

/** Reads the settings of `gate`. */
export function readGateConfig(reader: Reader): GateConfig {
  const urgency = reader.one('urgency', parseChoice<'high' | 'low'>(['high', 'low']))
  const isRollback = reader.one('rollback', parseBoolean)
  const waitMs = reader.one('wait', parseDurationMs)
  return {
    ...(urgency && { urgency }),
    allowRollback: reader.isSet('allowRollback'),
    ...(isRollback !== undefined && { isRollback }),
    ...(waitMs !== undefined && { waitMs }),
  }
}

function parseApiToken(text: string): Secret {
  if (tokenKind(text) === 'routing-key') {
    throw new Failure(
      'config',
      'this is an integration (routing) key, which can send events only; it belongs into PAGERDUTY_TOKEN or ' +
        'PAGERDUTY_ROUTING_KEY. The REST API needs a REST API token (20 characters): in PagerDuty make one under ' +
        'Integrations, API Access Keys, or in your profile under User Settings',
    )
  }
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new Failure('config', 'must consist of printable ASCII characters without spaces')
  return createSecret(text)
}

/** A token's characters can stand in a header: its shape allows no others, but for those of 20 of anything. */
function restTokenIn(text: string): Secret | undefined {
  return tokenKind(text) === 'rest-token' ? parseApiToken(text) : undefined
}

/** An id such as `PXXXXXX`, or the address of a page that ends in it, as it is copied from a browser. */
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
