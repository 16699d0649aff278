import { parseRepositoryUrl, withRepositoryUrl } from '../ci/repository-url.ts'
import type { Build } from '../core/build.ts'
import { createMask, type Mask } from '../core/mask-event.ts'
import { secretValues } from '../core/secret-values.ts'
import type { RoutingKey } from '../core/routing-key.ts'
import type { Gathered } from './sources.ts'
import { isKeyLookedUp, keyMissing, serversOf, throwProblems, type Surroundings } from './load.ts'
import { plainHttpWarnings, readDeliveryConfig, type DeliveryConfig } from './read-delivery.ts'
import { readEventConfig, type EventConfig } from './read-event.ts'
import { readPrintConfig, type PrintConfig } from './read-printing.ts'
import { readRelayAccess, type RelayAccess } from './read-relay-access.ts'
import { reportProxies } from './read-proxy.ts'
import { readRestConfig, type RestConfig } from './read-rest.ts'
import { readSpoolConfig, type SpoolConfig } from './read-spool.ts'
import { createReader, type Reader } from './reader.ts'
import { tlsWarnings } from './tls-warnings.ts'
import { parseCount } from './parsers.ts'

/** The keys that the relay sends with for callers who bring none; `looked-up` where the REST API is asked for the one. */
export type OwnKeys = readonly RoutingKey[] | 'looked-up'

/** Everything that the relay was told, validated and frozen. */
export interface RelayConfig extends RelayAccess {
  /** What the events of `/success` and `/failure` are made of, beside the build. */
  readonly event: EventConfig
  readonly build: Build
  readonly delivery: DeliveryConfig
  readonly rest: RestConfig
  /** Where there are none, callers have to bring theirs. */
  readonly ownKeys: OwnKeys
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  /** Absent where nothing is kept: then callers wait for PagerDuty. */
  readonly spool?: SpoolConfig
  readonly printing: PrintConfig
  /** Masks the program's own secrets in what callers send. */
  readonly mask: Mask
  /** Values that are masked in a deployment's output: the program's own secrets, and what its environment keeps secret. */
  readonly outputSecrets: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Reads the whole configuration of the relay.
 * @throws Failure that lists every problem, a line each: kind `config` where a key or a file is at fault, else `usage`
 */
export function loadRelayConfig(
  { values, problems: found }: Gathered,
  { env, build }: Surroundings,
): RelayConfig {
  const problems = [...found]
  // One environment is often shared by a build's containers, so it may hold the address of this very relay.
  const own = new Map([...values].filter(([name]) => name !== 'relay'))
  const mended: string[] = []
  const reader = createReader(own, problems, mended)
  const repositoryUrl = reader.one('repositoryUrl', parseRepositoryUrl)
  const events = readDeliveryConfig(reader, env)
  const rest = readRestConfig(reader, events.region)
  const delivery = { ...events, secrets: [...events.secrets, ...(rest.token ? [rest.token] : [])] }
  const mask = createMask(delivery.secrets)
  const event = mask(readEventConfig(reader))
  reportProxies(reader, delivery.proxy, serversOf(delivery, rest))
  const missing = keyMissing({ delivery, rest })
  const spool = readSpoolConfig(reader)
  const access = readRelayAccess(own, env, problems)
  const ownKeys = isKeyLookedUp({ delivery, rest }) ? ('looked-up' as const) : delivery.keys
  const address = readAddress(reader)
  const config = { event, delivery, rest, ownKeys, printing: readPrintConfig(reader), ...address, ...access }
  throwProblems(problems)
  return Object.freeze({
    ...config,
    build: mask(withRepositoryUrl(build, repositoryUrl)),
    mask,
    ...(spool && { spool }),
    outputSecrets: [...delivery.secrets.map((secret) => secret.reveal()), ...secretValues(env)],
    warnings: [
      ...tlsWarnings(env),
      ...plainHttpWarnings(delivery, rest),
      ...mended,
      ...(missing === undefined ? [] : [rest.token === undefined ? NO_KEY : `${missing}. ${UNTIL_THEN}`]),
    ],
  })
}

function readAddress(reader: Reader): { host: string; port: number } {
  return {
    host: reader.one('relayHost', (text) => text.replace(/^\[(.+)\]$/, '$1')) ?? '127.0.0.1',
    port: reader.one('relayPort', parsePort) ?? 8080,
  }
}

/**
 * A port, or undefined for what Kubernetes and Docker's links put into a variable of that name where a service is called
 * `pagerduty-relay`: `tcp://10.96.12.3:8080`.
 */
function parsePort(text: string): number | undefined {
  return /^(?:tcp|udp|sctp):\/\//.test(text) ? undefined : parseCount(65_535)(text)
}

const UNTIL_THEN = 'Until then only callers that bring a routing_key of their own are served'
const NO_KEY =
  'no key is set, so only callers that bring a routing_key of their own are served: put the Integration Key of an ' +
  'Events API v2 integration into PAGERDUTY_TOKEN (or PAGERDUTY_TOKEN_FILE)'
