import { setTimeout as sleep } from 'node:timers/promises'
import { formatMs } from '../core/duration.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { createRelaySource, createSpoolSource, type FlushSource, type Look } from './flush-sources.ts'
import type { Io } from '../cli/session.ts'
import type { Config } from '../config/load.ts'
import type { RestContext } from './rest-access.ts'

const UNKNOWN =
  'is a damaged spool that was set aside, with events that may not be delivered: recover them, then remove the file'
const POLL_MS = 200
/** How often to log what is still pending. */
const PROGRESS_MS = 5000

interface FlushContext extends RestContext {
  readonly io: Pick<Io, 'signal' | 'startedAtMs' | 'writeOut' | 'hostname'>
  readonly config: Pick<Config, 'delivery' | 'rest' | 'spool' | 'fleet' | 'flush'>
  readonly json: boolean
}

/**
 * `flush`: waits until the relay and the spool have delivered everything; of a fleet only what this relay or spool accepted,
 * unless everything is asked for. It delivers the spool itself if no other process
 * does.
 * @returns 0 only then; 75 if the deadline passed first or a damaged spool was set aside, 65 if events are dead
 * @throws Failure of kind `usage` if there is neither a relay nor a spool
 */
export async function flush(context: FlushContext): Promise<number> {
  const { config } = context
  const sources: FlushSource[] = []
  if (config.spool !== undefined && config.fleet !== undefined) {
    const { createFleetSource } = await import('./fleet-source.ts') // few have one
    const { fleet, spool } = config
    const options = { fleet, spool, hostname: context.io.hostname, all: config.flush.all }
    sources.push(await createFleetSource(context, options))
  } else if (config.spool !== undefined) sources.push(await createSpoolSource(context, config.spool))
  if (config.delivery.relay !== undefined) sources.push(createRelaySource(context, config.flush.all))
  if (sources.length === 0) sources.push(await wholeFleet(config))
  try {
    return report(context, await untilEmpty(context, sources))
  } finally {
    await Promise.all(sources.map((source) => source.close()))
  }
}

/** Without a relay or a spool, nothing says which of the fleet’s events are the caller’s. */
async function wholeFleet({ fleet, flush: { all } }: FlushContext['config']): Promise<FlushSource> {
  if (fleet === undefined)
    throw new Failure(
      'usage',
      'flush needs to know what to wait for: set PAGERDUTY_RELAY_URL or PAGERDUTY_SPOOL, or PAGERDUTY_FLEET for flush --all',
    )
  if (!all)
    throw new Failure(
      'usage',
      'flush cannot tell which events of the fleet are its own: set PAGERDUTY_SPOOL or PAGERDUTY_RELAY_URL, or wait for all of them with flush --all',
    )
  const { createFleetWatch } = await import('./fleet-watch.ts')
  return await createFleetWatch(fleet)
}

interface Finding {
  readonly source: string
  readonly look: Look | string
}

/** Polls until nothing is pending, the deadline passes or a signal arrives; returns the last findings. */
async function untilEmpty(
  { io, config, log }: FlushContext,
  sources: readonly FlushSource[],
): Promise<Finding[]> {
  const endAtMs = io.startedAtMs + config.delivery.deadlineMs
  let saidAtMs = Number.NEGATIVE_INFINITY
  for (;;) {
    const findings = await Promise.all(
      sources.map(async (source) => ({ source: source.name, look: await source.look() })),
    )
    const leftMs = endAtMs - performance.now()
    if (findings.every(isEmpty) || leftMs <= 0 || io.signal.aborted) return findings
    if (performance.now() - saidAtMs >= PROGRESS_MS) {
      saidAtMs = performance.now()
      for (const finding of findings) log.info(`${describe(finding)}; ${formatMs(leftMs)} left`)
    }
    await sleep(Math.min(POLL_MS, leftMs), undefined, { signal: io.signal }).catch(() => undefined)
  }
}

function isEmpty({ look }: Finding): boolean {
  return typeof look !== 'string' && look.counts.pending === 0
}

function describe({ source, look }: Finding): string {
  if (typeof look === 'string') return `${source}: ${look}`
  const { pending, delivered, dead } = look.counts
  const note = look.note === undefined ? '' : `; ${look.note}`
  return `${source}: ${pending} pending, ${delivered} delivered, ${dead} dead${note}`
}

function report({ io, log, json }: FlushContext, findings: readonly Finding[]): number {
  const looks = findings.flatMap(({ look }) => (typeof look === 'string' ? [] : [look]))
  const sum = (status: 'pending' | 'delivered' | 'dead'): number =>
    looks.reduce((total, { counts }) => total + counts[status], 0)
  const setAside = looks.flatMap((look) => look.setAside)
  const isAll = findings.every(isEmpty) && setAside.length === 0
  const verdict = !isAll ? 'undelivered' : sum('dead') > 0 ? 'refused' : 'accepted'
  const ownCode = verdict === 'accepted' ? 0 : EXIT_CODE[verdict]
  const exitCode = io.signal.aborted && verdict === 'undelivered' ? Number(io.signal.reason) : ownCode
  const dead = looks.flatMap((look) => look.dead)
  for (const finding of findings) {
    if (verdict === 'undelivered') log.error(`not everything is delivered: ${describe(finding)}`)
    else if (typeof finding.look !== 'string' && finding.look.note !== undefined) log.warn(describe(finding))
    else log.info(describe(finding))
  }
  for (const { what, reason } of dead) log.error(`dead: ${what}: ${reason}`)
  for (const file of setAside) log.error(`${file} ${UNKNOWN}`)
  if (json) {
    const counts = { pending: sum('pending'), delivered: sum('delivered'), dead: sum('dead') }
    const aside = setAside.length > 0 && { set_aside: setAside }
    const line = { command: 'flush', outcome: verdict, exit_code: exitCode, counts, dead, ...aside }
    io.writeOut(`${JSON.stringify(line)}\n`)
  }
  return exitCode
}
