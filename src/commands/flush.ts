import { setTimeout as sleep } from 'node:timers/promises'
import { formatMs } from '../core/duration.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { createRelaySource, createSpoolSource, type FlushSource, type Backlog } from './flush-sources.ts'
import type { Io } from '../cli/session.ts'
import type { Config } from '../config/load.ts'
import type { RestContext } from './rest-access.ts'

const MAYBE_UNDELIVERED =
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
 * unless everything is asked for. It delivers the spool itself if no other process does.
 * @returns 0 only then; 75 if the deadline passed first or a damaged spool was set aside, 65 if events are dead
 * @throws Failure of kind `usage` if no setting says what to wait for
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

/** What a source holds, or why that is not known. */
interface SourceState {
  readonly source: string
  readonly backlog: Backlog | string
}

/** Polls until nothing is pending, the deadline passes or a signal arrives; returns the last states. */
async function untilEmpty(
  { io, config, log }: FlushContext,
  sources: readonly FlushSource[],
): Promise<SourceState[]> {
  const endAtMs = io.startedAtMs + config.delivery.deadlineMs
  let saidAtMs = Number.NEGATIVE_INFINITY
  for (;;) {
    const states = await Promise.all(
      sources.map(async (source) => ({ source: source.name, backlog: await source.read() })),
    )
    const leftMs = endAtMs - performance.now()
    if (states.every(isEmpty) || leftMs <= 0 || io.signal.aborted) return states
    if (performance.now() - saidAtMs >= PROGRESS_MS) {
      saidAtMs = performance.now()
      for (const state of states) log.info(`${describe(state)}; ${formatMs(leftMs)} left`)
    }
    await sleep(Math.min(POLL_MS, leftMs), undefined, { signal: io.signal }).catch(() => undefined)
  }
}

function isEmpty({ backlog }: SourceState): boolean {
  return typeof backlog !== 'string' && backlog.counts.pending === 0
}

function describe({ source, backlog }: SourceState): string {
  if (typeof backlog === 'string') return `${source}: ${backlog}`
  const { pending, delivered, dead } = backlog.counts
  const note = backlog.note === undefined ? '' : `; ${backlog.note}`
  return `${source}: ${pending} pending, ${delivered} delivered, ${dead} dead${note}`
}

function report({ io, log, json }: FlushContext, states: readonly SourceState[]): number {
  const backlogs = states.flatMap(({ backlog }) => (typeof backlog === 'string' ? [] : [backlog]))
  const sum = (status: 'pending' | 'delivered' | 'dead'): number =>
    backlogs.reduce((total, { counts }) => total + counts[status], 0)
  const setAside = backlogs.flatMap((backlog) => backlog.setAside)
  const isAll = states.every(isEmpty) && setAside.length === 0
  const verdict = !isAll ? 'undelivered' : sum('dead') > 0 ? 'refused' : 'accepted'
  const ownCode = verdict === 'accepted' ? 0 : EXIT_CODE[verdict]
  const exitCode = io.signal.aborted && verdict === 'undelivered' ? Number(io.signal.reason) : ownCode
  const dead = backlogs.flatMap((backlog) => backlog.dead)
  for (const state of states) {
    if (verdict === 'undelivered') log.error(`not everything is delivered: ${describe(state)}`)
    else if (typeof state.backlog !== 'string' && state.backlog.note !== undefined) log.warn(describe(state))
    else log.info(describe(state))
  }
  for (const { what, reason } of dead) log.error(`dead: ${what}: ${reason}`)
  for (const file of setAside) log.error(`${file} ${MAYBE_UNDELIVERED}`)
  if (json) {
    const counts = { pending: sum('pending'), delivered: sum('delivered'), dead: sum('dead') }
    const aside = setAside.length > 0 && { set_aside: setAside }
    const line = { command: 'flush', outcome: verdict, exit_code: exitCode, counts, dead, ...aside }
    io.writeOut(`${JSON.stringify(line)}\n`)
  }
  return exitCode
}
