import { withRepositoryUrl } from '../ci/repository-url.ts'
import type { Build } from '../core/build.ts'
import { createMask, type Mask } from '../core/mask-event.ts'
import { secretValues } from '../core/secret-values.ts'
import type { RoutingKey } from '../core/routing-key.ts'
import type { Gathered } from './sources.ts'
import { isKeyLookedUp, keyMissing, serversOf, throwProblems, type Surroundings } from './load.ts'
import { connectionWarnings, readDeliveryConfig, type DeliveryConfig } from './delivery.ts'
import { EVENT_SETTINGS, readEventConfig, type EventConfig } from './event.ts'
import { fleetSecrets, readFleetConfig, type FleetConfig } from './fleet.ts'
import { readGateConfig } from './gate.ts'
import { readPagingConfig, type PagingConfig } from './paging.ts'
import { readPrintConfig, type PrintConfig } from './printing.ts'
import { readRelayAccess, readRelayAddress, type RelayAccess, type RelayAddress } from './relay.ts'
import { reportProxies } from './proxy.ts'
import { readRestConfig, type RestConfig } from './rest.ts'
import { readSpoolConfig, type SpoolConfig } from './spool.ts'
import { createReader, valuesOf } from './setting.ts'
import { readRelayWatchMs } from './watch.ts'
import { readStartedConfig } from './started.ts'

/** The keys the relay uses for callers that bring none; `looked-up` if its one key comes from the REST API. */
export type OwnKeys = readonly RoutingKey[] | 'looked-up'

/** The relay's configuration, validated and frozen. */
export interface RelayConfig extends RelayAccess, RelayAddress {
  /** What the events of `/success` and `/failure` consist of, besides the build. */
  readonly event: EventConfig
  /** Whether `/failure` and webhooks page. */
  readonly paging: PagingConfig
  readonly build: Build
  readonly delivery: DeliveryConfig
  readonly rest: RestConfig
  /** If there are none, callers have to bring theirs. */
  readonly ownKeys: OwnKeys
  /** Absent if nothing is kept: then callers wait for PagerDuty. */
  readonly spool?: SpoolConfig
  /** The queue that it shares with other relays; needs a spool, too. */
  readonly fleet?: FleetConfig
  /** How long a deployment may be silent if its start does not say so; absent: as long as it likes. */
  readonly withinMs?: number
  /** How long incidents after a deployment get a note; absent: not at all. */
  readonly watchMs?: number
  readonly printing: PrintConfig
  /** Masks the program's own secrets in what callers send. */
  readonly mask: Mask
  /** Values that are masked in a deployment's output: the program's own secrets, and secrets from its environment. */
  readonly outputSecrets: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Reads the whole configuration of the relay.
 * @throws Failure that lists every problem, a line each: kind `config` if a key or a file is at fault, else `usage`
 */
export function loadRelayConfig(
  { values, problems: found, warnings: notes }: Gathered,
  { env, build }: Surroundings,
): RelayConfig {
  const problems = [...found]
  // One environment is often shared by a build's containers, so it may hold the address of this very relay.
  const own = new Map([...values].filter(([name]) => name !== 'relay'))
  const corrected = [...notes]
  const reader = createReader(own, problems, corrected)
  const repositoryUrl = valuesOf(reader, EVENT_SETTINGS)('repositoryUrl')
  const events = readDeliveryConfig(reader, env)
  const rest = readRestConfig(reader, events.region)
  const access = readRelayAccess(own, env, problems)
  const spool = readSpoolConfig(reader)
  const fleet = readFleetConfig(reader)
  const secrets = [
    ...events.secrets,
    ...fleetSecrets(fleet),
    ...[rest.token, access.hookSecret, access.viewToken].filter((secret) => secret !== undefined),
  ]
  const delivery = { ...events, secrets }
  const mask = createMask(delivery.secrets)
  const event = mask(readEventConfig(reader, readGateConfig(reader).isRollback))
  reportProxies(reader, delivery.proxy, serversOf(delivery, rest))
  const missing = keyMissing({ delivery, rest })
  const { withinMs } = readStartedConfig(reader)
  const ownKeys = isKeyLookedUp({ delivery, rest }) ? ('looked-up' as const) : delivery.keys
  const address = readRelayAddress(reader)
  const paging = readPagingConfig(reader)
  const watchMs = readRelayWatchMs(reader)
  if (watchMs !== undefined && (rest.token === undefined || rest.service === undefined))
    problems.push({ kind: 'config', message: WATCH_NEEDS })
  const config = {
    event,
    paging,
    delivery,
    rest,
    ownKeys,
    printing: readPrintConfig(reader),
    ...address,
    ...access,
  }
  if (fleet !== undefined && spool === undefined)
    problems.push({ kind: 'config', message: `PAGERDUTY_FLEET: ${FLEET_ALONE}` })
  throwProblems(problems)
  return Object.freeze({
    ...config,
    build: mask(withRepositoryUrl(build, repositoryUrl)),
    mask,
    ...(spool && { spool }),
    ...(watchMs !== undefined && { watchMs }),
    ...(fleet && { fleet }),
    ...(withinMs !== undefined && { withinMs }),
    outputSecrets: [...delivery.secrets.map((secret) => secret.reveal()), ...secretValues(env)],
    warnings: [
      ...connectionWarnings(env, delivery, rest),
      ...corrected,
      ...(missing === undefined ? [] : [rest.token === undefined ? NO_KEY : `${missing}. ${UNTIL_THEN}`]),
    ],
  })
}

const FLEET_ALONE =
  'needs PAGERDUTY_SPOOL, too: a directory of its own for each relay, which keeps events while the database is unreachable'

const WATCH_NEEDS =
  '--watch (PAGERDUTY_RELAY_WATCH) asks PagerDuty’s REST API about a service: set PAGERDUTY_API_TOKEN, and ' +
  'PAGERDUTY_SERVICE_ID or --service NAME'
const UNTIL_THEN = 'Until then only callers that bring a routing_key of their own are served'
const NO_KEY =
  'no key is set, so only callers that bring a routing_key of their own are served: put the Integration Key of an ' +
  'Events API v2 integration into PAGERDUTY_TOKEN (or PAGERDUTY_TOKEN_FILE)'
