import { isatty } from 'node:tty'
import { MAX_OUTPUT_LINES, type RunConfig } from '../config/read-run.ts'
import { parseCount } from '../config/values.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { maskOutput, secretValues } from '../core/mask-output.ts'
import { formatOutput } from '../core/output.ts'
import type { EventCommand } from '../core/plan-events.ts'
import type { CommandResult } from '../core/summary.ts'
import type { Log } from '../log.ts'
import { exitStatusOf, supervise, type Ending, type Supervised } from '../run/supervise.ts'
import { createTail, type Tail } from '../run/tail.ts'
import { createHeartbeat } from './heartbeat.ts'
import { notify } from './notify.ts'
import type { Io, Session } from './session.ts'

/**
 * How long a cancelled command may take to end before its cancellation is reported, and how long that report may take:
 * together they fit into the 10 s that Docker leaves between SIGTERM and SIGKILL.
 */
const CANCEL_WAIT_MS = 4000
const CANCEL_DEADLINE_MS = 4000

export interface RunOptions {
  readonly io: Io
  readonly log: Log
  readonly argv: readonly [string, ...string[]]
  /** `--output-lines` as given: it decides how the command is started, before the configuration is read. */
  readonly outputLines: string | undefined
  readonly isStrict: boolean
  /** Reads the configuration, once the command has been started. Throws a Failure. */
  readonly loadSession: () => Session
}

/**
 * `run -- CMD`: starts the command at once, passes everything through, and reports how it ended. Nothing that is wrong
 * with the configuration or with PagerDuty keeps it from running or changes its status, but `--strict` for a success.
 * @returns the exit status
 */
export async function run({
  io,
  log,
  argv,
  outputLines,
  isStrict,
  loadSession,
}: RunOptions): Promise<number> {
  const startedAtMs = performance.now()
  const tail = wantsTail(outputLines) ? createTail() : undefined
  const heartbeat = createHeartbeat(log)
  const command = supervise({ argv, tail, isInteractive: isatty(0), onOutput: heartbeat.beat, kill: io.kill })
  const cancellation = watchSignals(io, command)
  const session = tryLoad(loadSession, log)
  heartbeat.start(session instanceof Failure ? undefined : session.config.run.heartbeatMs)

  // A cancelled command that takes its time is reported while it is still ending.
  const early = await Promise.race([command.ended, cancellation.overdue])
  const durationMs = performance.now() - startedAtMs
  const watched = { argv, tail, durationMs, ending: early, isCancelled: cancellation.isCancelled() }
  const reporting = reportOutcome(session, watched, log)
  const ending = await command.ended
  heartbeat.stop()
  if (cancellation.isCancelled()) await command.sweep()
  io.takeSignals(undefined) // from here on a signal ends the report
  const reportStatus = await reporting
  command.close()
  const status = exitStatusOf(ending)
  return status === 0 && reportStatus !== 0 && isStrict ? strictStatus(reportStatus) : status
}

function wantsTail(outputLines: string | undefined): boolean {
  try {
    return outputLines === undefined || parseCount(MAX_OUTPUT_LINES)(outputLines.trim()) > 0
  } catch {
    return true // reported with the rest of the configuration
  }
}

/** Passes signals on to the command, and remembers that there was one: what ends after it was cancelled. */
function watchSignals(
  io: Io,
  command: Supervised,
): { isCancelled: () => boolean; overdue: Promise<undefined> } {
  let isCancelled = false
  const overdue = new Promise<undefined>((resolve) => {
    io.takeSignals((signal) => {
      if (!isCancelled) setTimeout(() => resolve(undefined), CANCEL_WAIT_MS).unref()
      isCancelled = true
      command.forward(signal)
    })
  })
  return { isCancelled: () => isCancelled, overdue }
}

/** The configuration, or what is wrong with it: said at once, while the command runs. */
function tryLoad(loadSession: () => Session, log: Log): Session | Failure {
  try {
    return loadSession()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.error(`${error.message}\nthe command runs, but its outcome will not be reported`)
    return error
  }
}

/** What was seen of the command. */
interface Watched {
  readonly argv: readonly string[]
  readonly tail: Tail | undefined
  readonly durationMs: number
  /** Absent where it has not ended yet. */
  readonly ending: Ending | undefined
  readonly isCancelled: boolean
}

/** @returns the exit status of the report by itself */
async function reportOutcome(session: Session | Failure, watched: Watched, log: Log): Promise<number> {
  const { ending, argv, isCancelled } = watched
  if (ending?.kind === 'not started') log.error(`${argv[0]}: ${ending.reason}`)
  if (session instanceof Failure) return EXIT_CODE[session.kind]
  const { io, config } = session
  const { deadlineMs } = config.delivery
  const delivery = {
    ...config.delivery,
    deadlineMs: isCancelled ? Math.min(deadlineMs, CANCEL_DEADLINE_MS) : deadlineMs,
  }
  // The report has the whole budget to itself, however long the command took.
  const reporting = {
    ...session,
    io: { ...io, startedAtMs: performance.now() },
    config: { ...config, delivery },
  }
  try {
    return await notify(reporting, outcomeOf(watched, config.run), resultOf(watched, session))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.error(error.message)
    return EXIT_CODE[error.kind]
  }
}

function outcomeOf({ ending, isCancelled }: Watched, { isSoftFailure }: RunConfig): EventCommand {
  if (isCancelled || ending === undefined) return 'cancelled'
  const status = exitStatusOf(ending)
  if (status === 0) return 'success'
  return isSoftFailure(status) ? 'soft-failure' : 'failure'
}

function resultOf(
  { argv, tail, durationMs, ending, isCancelled }: Watched,
  { io, config }: Session,
): CommandResult {
  const secrets = [...config.delivery.secrets.map((secret) => secret.reveal()), ...secretValues(io.env)]
  const isFailure = ending !== undefined && exitStatusOf(ending) !== 0
  const output =
    isFailure || isCancelled ? formatOutput(tail?.text() ?? '', config.run.outputLines, secrets) : undefined
  return {
    ...(ending !== undefined && ending.kind !== 'killed' && isFailure && { exitCode: ending.exitCode }),
    ...(ending?.kind === 'killed' && { signal: ending.signal }),
    durationSeconds: Math.round(durationMs) / 1000,
    ...(output !== undefined && { output }),
    ...(config.run.showCommand && { command: maskOutput(argv.join(' '), secrets) }),
  }
}

/** The statuses by which `--strict` may replace a success. */
function strictStatus(reportStatus: number): number {
  const { refused, undelivered, config } = EXIT_CODE
  if (reportStatus === refused) return refused
  return reportStatus === EXIT_CODE.usage || reportStatus === config ? config : undelivered
}
