import type { Environment } from '../core/build.ts'
import { parseRoutingKeys, tokenKind, type RoutingKey } from '../core/routing-key.ts'
import type { Secret } from '../core/secret.ts'
import { parseBearerToken, parseChoice, parseDurationMs, parseEventsUrl } from './parsers.ts'
import { proxySecrets, readProxy, type ProxyConfig } from './proxy.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** How an event is sent. */
export const DELIVERY_SETTINGS = inGroup('delivery', {
  token: {
    variable: 'PAGERDUTY_TOKEN',
    value: 'TOKEN',
    secret: true,
    parse: routingKeysIn,
    help: 'the one secret that most users set: an Events API v2 integration key (32 letters and digits), or a REST API token to look that key up with',
  },
  routingKey: {
    variable: 'PAGERDUTY_ROUTING_KEY',
    value: 'KEY[,KEY…]',
    secret: true,
    parse: parseRoutingKeys,
    help: 'one or more integration keys, each optionally alias=key; wins over PAGERDUTY_TOKEN',
  },
  region: {
    option: 'region',
    variable: 'PAGERDUTY_REGION',
    value: 'REGION',
    parse: parseChoice<'us' | 'eu'>(['us', 'eu']),
    default: 'us',
    help: 'us or eu',
  },
  eventsUrl: {
    variable: 'PAGERDUTY_EVENTS_URL',
    value: 'URL',
    parse: parseEventsUrl,
    help: 'base URL of the Events API, instead of the region’s; a path prefix is kept, and /v2/enqueue is not needed',
  },
  relay: {
    option: 'relay',
    variable: 'PAGERDUTY_RELAY_URL',
    value: 'URL',
    parse: parseEventsUrl,
    help: 'send through this relay, which holds the key',
  },
  relayToken: {
    variable: 'PAGERDUTY_RELAY_TOKEN',
    value: 'TOKEN',
    secret: true,
    parse: parseBearerToken,
    help: 'bearer token that the relay requires',
  },
  deadline: {
    option: 'deadline',
    variable: 'PAGERDUTY_DEADLINE',
    value: 'TIME',
    parse: parseDurationMs,
    default: '60s',
    help: 'time limit for everything, retries included, e.g. 500ms, 90s, 2m',
  },
  timeout: {
    option: 'timeout',
    variable: 'PAGERDUTY_TIMEOUT',
    value: 'TIME',
    parse: parseDurationMs,
    default: '10s',
    help: 'time limit for one attempt',
  },
  dryRun: {
    option: 'dry-run',
    help: 'print the requests instead of sending them',
  },
})

/** Where events go, and how long that may take. */
export interface DeliveryConfig {
  readonly region: 'us' | 'eu'
  /** Base URL of PagerDuty's Events API, or of the relay. */
  readonly eventsUrl: string
  /** The user's keys; empty if a relay holds the key, or none is set. */
  readonly keys: readonly RoutingKey[]
  /** Set if events go through a relay. */
  readonly relay?: { readonly token?: Secret }
  readonly deadlineMs: number
  readonly timeoutMs: number
  readonly proxy: ProxyConfig
  /** Every secret value, to be masked in what others echo. */
  readonly secrets: readonly Secret[]
}

/** support.pagerduty.com "Service regions": only these two exist. */
const EVENTS_URL = { us: 'https://events.pagerduty.com', eu: 'https://events.eu.pagerduty.com' } as const

/** Reads the delivery settings. A missing key is not a problem yet: not every command needs one. */
export function readDeliveryConfig(
  reader: Reader<keyof typeof DELIVERY_SETTINGS>,
  env: Environment,
): DeliveryConfig {
  const read = valuesOf(reader, DELIVERY_SETTINGS)
  const region = read('region')
  const relayUrl = read('relay')
  const eventsUrl = read('eventsUrl') ?? EVENTS_URL[region]
  const keys = read('routingKey') ?? read('token') ?? []
  const relayToken = read('relayToken')
  const proxy = readProxy(env)
  return {
    region,
    eventsUrl: relayUrl ?? eventsUrl,
    keys: relayUrl === undefined ? keys : [],
    ...(relayUrl !== undefined && { relay: { ...(relayToken && { token: relayToken }) } }),
    deadlineMs: read('deadline'),
    timeoutMs: read('timeout'),
    proxy,
    secrets: [...keys.map(({ key }) => key), ...(relayToken ? [relayToken] : []), ...proxySecrets(proxy)],
  }
}

/** The shape of `PAGERDUTY_TOKEN` says what it is: a REST API token holds no key, but the key can be looked up with it. */
function routingKeysIn(text: string): readonly RoutingKey[] {
  return tokenKind(text) === 'rest-token' ? [] : parseRoutingKeys(text)
}

/** Warnings about connections that are less safe than the user may think. */
export function connectionWarnings(
  env: Environment,
  { eventsUrl, relay }: DeliveryConfig,
  { apiUrl, token }: { apiUrl: string; token?: Secret },
): string[] {
  // The point of a relay is that the key need not travel: a request to it carries none.
  const isKeySafe = isPrivate(eventsUrl) || relay !== undefined
  const isTokenSafe = isPrivate(apiUrl) || token === undefined
  return [
    ...(env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0' ? [TLS_SWITCH_IGNORED] : []),
    ...(isKeySafe ? [] : [plainHttp('PAGERDUTY_EVENTS_URL', 'routing key')]),
    ...(isTokenSafe ? [] : [plainHttp('PAGERDUTY_API_URL', 'REST API token')]),
  ]
}

const TLS_SWITCH_IGNORED =
  'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified. To trust your own CA, set ' +
  'NODE_EXTRA_CA_CERTS to its certificate (PEM)'

function plainHttp(variable: string, secret: string): string {
  return `${variable} is plain http to another host: the ${secret} can be read in transit`
}

function isPrivate(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return (
    protocol === 'https:' ||
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  )
}
