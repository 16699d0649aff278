import type { Gathered } from '../../config/sources.ts'
import { readConfig, type Config } from '../../config/load.ts'
import type { Build } from '../../core/build.ts'
import { EXIT_CODE, Failure } from '../../core/failure.ts'
import { oneLine } from '../../core/mask-secrets.ts'
import { checkConfiguration } from './check-configuration.ts'
import { checkSpool } from './check-spool.ts'
import { warning, type Finding } from './finding.ts'
import { withRestClient, type RestContext } from '../rest-access.ts'
import type { Session } from '../../cli/session.ts'

/**
 * `doctor`: a checklist of everything that a deployment's report depends on. It continues if something is wrong, and
 * sends nothing that could page anybody; a test event only with `--send-test`, and a valid configuration.
 * @returns 0, or the exit status of the worst finding
 */
export async function doctor(
  { io, log, json }: Pick<Session, 'io' | 'log' | 'json'>,
  gathered: Gathered,
  build: Build,
): Promise<number> {
  const { config, problems } = readConfig(gathered, { env: io.env, build }, !gathered.values.has('onlyFleet'))
  const context: CheckContext = { io, log, config }
  if (config.onlyFleet && config.fleet === undefined)
    throw new Failure('config', 'no fleet is set: put the address of the database into PAGERDUTY_FLEET')
  const isAddressWrong = problems.some(({ origin }) => isOriginOf(ADDRESSES, gathered, origin))
  const checks = config.onlyFleet
    ? [fleetFindings(config)]
    : [
        spoolFindings(config),
        fleetFindings(config),
        ...(isAddressWrong ? [] : [networkFindings(context), accountFindings(context)]),
      ]
  const checked = (await Promise.all(checks)).flat()
  const tested = config.sendTest && problems.length === 0 && !io.signal.aborted
  const test = tested ? await (await import('./check-test-event.ts')).checkTestEvent({ io, log, config }) : []
  const unasked = isAddressWrong && !config.onlyFleet ? [NOT_ASKED] : []
  const findings = [...checkConfiguration(config, problems), ...checked, ...unasked, ...test]
  const exitCode = worstOf(findings)
  const outcome = exitCode === 0 ? 'ok' : 'failed'
  if (json)
    io.writeOut(`${JSON.stringify({ command: 'doctor', outcome, exit_code: exitCode, checks: findings })}\n`)
  else for (const finding of findings) io.writeOut(`${describe(finding)}\n`)
  return io.signal.aborted ? Number(io.signal.reason) : exitCode
}

/** The settings that say where PagerDuty or a relay is. */
const ADDRESSES = ['region', 'eventsUrl', 'apiUrl', 'relay'] as const

/** If an address is wrong, its default must not be asked instead: that is another server. */
const NOT_ASKED = warning(
  'network',
  'not checked, because an address is wrong',
  'correct it and run doctor again',
)

function isOriginOf(
  names: readonly (typeof ADDRESSES)[number][],
  { values }: Gathered,
  origin?: string,
): boolean {
  return origin !== undefined && names.some((name) => values.get(name)?.origin === origin)
}

/** What the checks over the network need. */
type CheckContext = RestContext & { readonly config: Config }

async function spoolFindings({ spool }: Config): Promise<Finding[]> {
  return spool === undefined ? [] : await checkSpool(spool.directory)
}

async function fleetFindings({ fleet, spool, delivery: { keys } }: Config): Promise<Finding[]> {
  if (fleet === undefined) return []
  const hasSpool = spool !== undefined
  return await (await import('./check-fleet.ts')).checkFleet({ fleet, keys, hasSpool })
}

async function networkFindings({ io, config }: CheckContext): Promise<Finding[]> {
  const [{ composeTransport }, { checkEndpoints, checkRelay, checkServer }] = await Promise.all([
    import('../../compose.ts'),
    import('./check-network.ts'),
  ])
  const { delivery, rest } = config
  const transport = composeTransport(delivery)
  try {
    const checks = await Promise.all([
      checkServer('events', delivery.eventsUrl, delivery),
      rest.token === undefined ? [] : checkServer('the REST API', rest.apiUrl, delivery),
      delivery.relay === undefined
        ? []
        : checkRelay(transport, delivery, io.signal).then((finding) => [finding]),
      checkEndpoints(transport, config, io.signal),
    ])
    return checks.flat()
  } finally {
    await transport.close()
  }
}

async function accountFindings(context: CheckContext): Promise<Finding[]> {
  const { token } = context.config.rest
  if (token === undefined) return []
  const { checkAccount } = await import('./check-account.ts')
  return await withRestClient(context, token, (client) => checkAccount(client, context.config))
}

/** A wrong configuration is worst, then what PagerDuty refuses, then what could not be reached. */
function worstOf(findings: readonly Finding[]): number {
  const codes = new Set(findings.map(({ exitCode = 0 }) => exitCode))
  return WORST_FIRST.find((exitCode) => codes.has(exitCode)) ?? 0
}

const WORST_FIRST: readonly number[] = [
  EXIT_CODE.config,
  EXIT_CODE.usage,
  EXIT_CODE.refused,
  EXIT_CODE.undelivered,
]

const SIGN: Readonly<Record<Finding['status'], string>> = { ok: 'ok', warning: 'warn', failed: 'FAIL' }

function describe({ check, status, detail, advice }: Finding): string {
  const line = `${SIGN[status].padEnd(5)}${check}: ${oneLine(detail)}`
  return advice === undefined ? line : `${line}\n     -> ${oneLine(advice)}`
}
