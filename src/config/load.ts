import type { Build, Environment } from '../core/build.ts'
import { withRepositoryUrl } from '../ci/repository-url.ts'
import { Failure } from '../core/failure.ts'
import { createMask } from '../core/mask-event.ts'
import type { Gathered } from './sources.ts'
import { connectionWarnings, DELIVERY_SETTINGS, readDeliveryConfig, type DeliveryConfig } from './delivery.ts'
import { DOCTOR_SETTINGS } from './doctor.ts'
import { EVENT_SETTINGS, readEventConfig, type EventConfig } from './event.ts'
import { readListConfig, type ListConfig } from './list.ts'
import { isCounting, readPagingConfig, type PagingConfig } from './paging.ts'
import { readPrintConfig, type PrintConfig } from './printing.ts'
import { reportProxies } from './proxy.ts'
import { fleetSecrets, readFleetConfig, type FleetConfig } from './fleet.ts'
import { readFlushConfig, type FlushConfig } from './flush.ts'
import { readGateConfig, type GateConfig } from './gate.ts'
import { CONFIRM_SETTINGS, NOTE_SETTINGS, readRestConfig, restMissing, type RestConfig } from './rest.ts'
import { readRunConfig, type RunConfig } from './run.ts'
import { readSpoolConfig, type SpoolConfig } from './spool.ts'
import { createReader, valuesOf, type Problem } from './setting.ts'
import { readStartedConfig, type StartedConfig } from './started.ts'
import { readWatchConfig, type WatchConfig } from './watch.ts'

/** The configuration of one invocation, validated and frozen. */
export interface Config {
  readonly event: EventConfig
  readonly paging: PagingConfig
  readonly delivery: DeliveryConfig
  readonly rest: RestConfig
  readonly run: RunConfig
  /** Absent if nothing is kept. */
  readonly spool?: SpoolConfig
  /** Absent if no queue is shared. */
  readonly fleet?: FleetConfig
  readonly gate: GateConfig
  readonly list: ListConfig
  readonly flush: FlushConfig
  readonly watch: WatchConfig
  readonly started: StartedConfig
  /** Note the deployment on the service's open incidents. */
  readonly note: boolean
  /** Check that PagerDuty shows the events. */
  readonly confirm: boolean
  /** `doctor` sends a test event. */
  readonly sendTest: boolean
  /** `doctor` looks only at the database that relays share. */
  readonly onlyFleet: boolean
  readonly build: Build
  /** Print the requests, make none. */
  readonly dryRun: boolean
  readonly warnings: readonly string[]
}

/** The surroundings of an invocation: the variables, and the build that they describe. */
export interface Surroundings {
  readonly env: Environment
  readonly build: Build
}

/**
 * Reads the whole configuration of a command.
 * @param needsKey false if the event itself may contain the key, or none is needed
 * @throws Failure that lists every problem, a line each: kind `config` if a key or a file is at fault, else `usage`
 */
export function loadConfig(gathered: Gathered, surroundings: Surroundings, needsKey: boolean): Config {
  const { config, problems } = readConfig(gathered, surroundings, needsKey)
  throwProblems(problems)
  return config
}

/** Reads the configuration and its problems; defaults replace invalid values. */
export function readConfig(
  { values, problems: found, warnings: notes }: Gathered,
  { env, build }: Surroundings,
  needsKey: boolean,
): { config: Config; problems: readonly Problem[] } {
  const problems = [...found]
  const corrected = [...notes]
  const reader = createReader(values, problems, corrected)
  const repositoryUrl = valuesOf(reader, EVENT_SETTINGS)('repositoryUrl')
  const delivery = readDeliveryConfig(reader, env)
  const rest = readRestConfig(reader, delivery.region)
  const spool = readSpoolConfig(reader)
  const fleet = readFleetConfig(reader)
  const dryRun = valuesOf(reader, DELIVERY_SETTINGS)('dryRun')
  if (!dryRun) reportProxies(reader, delivery.proxy, serversOf(delivery, rest))
  readPrintConfig(reader)
  const gate = readGateConfig(reader)
  const secrets = [...delivery.secrets, ...(rest.token ? [rest.token] : []), ...fleetSecrets(fleet)]
  const mask = createMask(secrets)
  const settings = {
    event: mask(readEventConfig(reader, gate.isRollback)),
    paging: readPagingConfig(reader),
    delivery: { ...delivery, secrets },
    rest,
    run: readRunConfig(reader),
    gate,
    list: readListConfig(reader),
    flush: readFlushConfig(reader),
    watch: readWatchConfig(reader),
    started: readStartedConfig(reader),
    note: valuesOf(reader, NOTE_SETTINGS)('note'),
    confirm: valuesOf(reader, CONFIRM_SETTINGS)('confirm'),
    sendTest: valuesOf(reader, DOCTOR_SETTINGS)('sendTest'),
    onlyFleet: valuesOf(reader, DOCTOR_SETTINGS)('onlyFleet'),
    ...(spool && { spool }),
    ...(fleet && { fleet }),
    build: mask(withRepositoryUrl(build, repositoryUrl)),
    dryRun,
  }
  const missing = needsKey ? keyMissing(settings) : undefined
  const hasKeyProblem = problems.some(({ kind }) => kind === 'config')
  if (missing !== undefined && !dryRun && !hasKeyProblem) problems.push({ kind: 'config', message: missing })
  const dryWarnings = missing !== undefined && dryRun ? [`${missing}; a real run would stop here`] : []
  const warnings = [...connectionWarnings(env, delivery, rest), ...corrected, ...dryWarnings]
  return { config: Object.freeze({ ...settings, warnings }), problems }
}

/** The servers that may be contacted. */
export function serversOf({ eventsUrl }: DeliveryConfig, { apiUrl, token }: RestConfig): string[] {
  return [eventsUrl, ...(token === undefined ? [] : [apiUrl])]
}

/** What to do if no key is set and none can be looked up; undefined if there is one. */
export function keyMissing({ delivery, rest }: Pick<Config, 'delivery' | 'rest'>): string | undefined {
  if (delivery.keys.length > 0 || delivery.relay !== undefined) return undefined
  if (rest.token === undefined) return KEY_MISSING
  return rest.service === undefined ? serviceMissing(rest) : undefined
}

/** What to set so that `--confirm` can ask PagerDuty; undefined if it can, or is not given. */
export function confirmMissing({ confirm, rest }: Pick<Config, 'confirm' | 'rest'>): string | undefined {
  return confirm ? restMissing('--confirm', rest) : undefined
}

/** Whether no key is set, and the REST API can provide it. */
export function isKeyLookedUp(settings: Pick<Config, 'delivery' | 'rest'>): boolean {
  const { keys, relay } = settings.delivery
  return keys.length === 0 && relay === undefined && keyMissing(settings) === undefined
}

const KEY_MISSING =
  'no key is set: put the Integration Key of an Events API v2 integration into PAGERDUTY_TOKEN ' +
  '(or PAGERDUTY_TOKEN_FILE), or the address of a relay into PAGERDUTY_RELAY_URL'

/** What to do if failures are to be counted and nothing counts them; undefined if all is well. */
export function counterMissing({
  paging,
  delivery,
  fleet,
  spool,
}: Pick<Config, 'paging' | 'delivery' | 'fleet' | 'spool'>): string | undefined {
  const counters = [delivery.relay, fleet, spool]
  const isMissing = isCounting(paging) && counters.every((counter) => counter === undefined)
  return isMissing ? COUNTER_MISSING : undefined
}

const COUNTER_MISSING =
  '--after (PAGERDUTY_AFTER) needs something that remembers earlier failures: set PAGERDUTY_RELAY_URL to the address of a ' +
  'relay, PAGERDUTY_FLEET to the database of a fleet, or PAGERDUTY_SPOOL to a directory that the next build has too'

/** A REST API token alone does not say which service's key is meant. */
function serviceMissing({ tokenOrigin }: RestConfig): string {
  return (
    `${tokenOrigin}: this is a REST API token, and events need the integration key of a service. ` +
    'Name the service, and its key is looked up: PAGERDUTY_SERVICE_ID=PXXXXXX (the end of the service’s address in ' +
    'PagerDuty) or --service NAME. Or set the key itself (32 letters and digits) as PAGERDUTY_ROUTING_KEY: in PagerDuty ' +
    'open the service, tab Integrations, add "Events API V2" and copy its Integration Key'
  )
}

/**
 * How results and errors are printed. Never fails: they have to be printed even when the rest of the configuration is
 * wrong, which `loadConfig` then reports.
 */
export function loadPrintConfig({ values }: Gathered): PrintConfig {
  return readPrintConfig(createReader(values, []))
}

/** @throws Failure that lists the problems, if there are any */
export function throwProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return
  const kind = problems.some((problem) => problem.kind === 'config') ? 'config' : 'usage'
  throw new Failure(kind, problems.map(({ message }) => message).join('\n'))
}
