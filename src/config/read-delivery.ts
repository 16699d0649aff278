import type { Environment } from '../core/build.ts'
import { Failure } from '../core/failure.ts'
import { parseRoutingKeys, tokenKind, type RoutingKey } from '../core/routing-key.ts'
import { createSecret, type Secret } from '../core/secret.ts'
import { proxySecrets, readProxy, type ProxyConfig } from './read-proxy.ts'
import type { Reader } from './reader.ts'
import { parseBaseUrl, parseChoice, parseDurationMs } from './parsers.ts'

/** Where events go, and how long that may take. */
export interface DeliveryConfig {
  readonly region: 'us' | 'eu'
  /** Base URL of PagerDuty's Events API, or of the relay. */
  readonly eventsUrl: string
  /** The user's keys; empty where a relay holds the key, or where none is set. */
  readonly keys: readonly RoutingKey[]
  /** Set when events go through a relay. */
  readonly relay?: { readonly token?: Secret }
  readonly deadlineMs: number
  readonly timeoutMs: number
  readonly proxy: ProxyConfig
  /** Every secret value in play, for masking what others echo. */
  readonly secrets: readonly Secret[]
}

/** support.pagerduty.com "Service regions": only these two exist. */
const EVENTS_URL = { us: 'https://events.pagerduty.com', eu: 'https://events.eu.pagerduty.com' } as const

/** Reads the settings of the way to PagerDuty. A missing key is no problem here: not every command needs one. */
export function readDeliveryConfig(reader: Reader, env: Environment): DeliveryConfig {
  const region = reader.one('region', parseChoice<'us' | 'eu'>(['us', 'eu'])) ?? 'us'
  const relayUrl = reader.one('relay', parseBaseUrl)
  const eventsUrl = reader.one('eventsUrl', parseBaseUrl) ?? EVENTS_URL[region]
  const keys = reader.one('routingKey', parseRoutingKeys) ?? reader.one('token', routingKeysIn) ?? []
  const relayToken = reader.one('relayToken', parseBearerToken)
  const proxy = readProxy(env)
  return {
    region,
    eventsUrl: relayUrl ?? eventsUrl,
    keys: relayUrl === undefined ? keys : [],
    ...(relayUrl !== undefined && { relay: { ...(relayToken && { token: relayToken }) } }),
    deadlineMs: reader.one('deadline', parseDurationMs) ?? 60_000,
    timeoutMs: reader.one('timeout', parseDurationMs) ?? 10_000,
    proxy,
    secrets: [...keys.map(({ key }) => key), ...(relayToken ? [relayToken] : []), ...proxySecrets(proxy)],
  }
}

/** `PAGERDUTY_TOKEN` says by its shape what it is: a REST API token holds no key, but the key can be looked up with it. */
function routingKeysIn(text: string): RoutingKey[] {
  return tokenKind(text) === 'rest-token' ? [] : parseRoutingKeys(text)
}

/** A bearer token of printable ASCII: anything else cannot stand in a header. */
export function parseBearerToken(text: string): Secret {
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new Failure('config', 'must consist of printable ASCII characters without spaces')
  return createSecret(text)
}

/** Warns of what would send a key or a token over the network in the clear. */
export function plainHttpWarnings(
  { eventsUrl, relay }: DeliveryConfig,
  { apiUrl, token }: { apiUrl: string; token?: Secret },
): string[] {
  const isSafe = (url: string): boolean => {
    const { protocol, hostname } = new URL(url)
    const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
    return protocol === 'https:' || isLoopback
  }
  const warning = (variable: string, what: string): string =>
    `${variable} is plain http to another host: the ${what} can be read on the way`
  // A relay is asked for exactly so that the key need not travel: the request to it carries none.
  const isKeySafe = isSafe(eventsUrl) || relay !== undefined
  const isTokenSafe = isSafe(apiUrl) || token === undefined
  return [
    ...(isKeySafe ? [] : [warning('PAGERDUTY_EVENTS_URL', 'routing key')]),
    ...(isTokenSafe ? [] : [warning('PAGERDUTY_API_URL', 'REST API token')]),
  ]
}
