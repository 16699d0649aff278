import { setFlagsFromString } from 'node:v8'
import { detectBuild } from '../ci/detect-build.ts'
import type { CommandLine } from '../cli/args.ts'
import { failureLine } from '../cli/report.ts'
import { createSession, type Io, type Session } from '../cli/session.ts'
import { confirmMissing, counterMissing, loadConfig, loadPrintConfig } from '../config/load.ts'
import { RUN_SETTINGS } from '../config/run.ts'
import { gather, readFiles } from '../config/sources.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import type { Transport } from '../delivery/transport.ts'
import { createLog, type Log } from '../log.ts'
import { createTail } from '../run/output-tail.ts'
import { supervise } from '../run/supervise.ts'
import { createHeartbeat, type Heartbeat } from './heartbeat.ts'
import type { CommandStart } from './keep-started.ts'
import type { Maintenance } from './maintenance-window.ts'
import { reportNothing, reportRun, runStatus, type Watched } from './report-run.ts'
import { finishWatch, startWatch } from './watch-after-run.ts'
import { watchSignals, type SignalWatch } from './watch-signals.ts'

/** If a command ends sooner than this, the report loads what it needs while its connection is being opened. */
const WARM_UP_MS = 50

interface RunOptions {
  readonly io: Io
  readonly argv: readonly [string, ...string[]]
  /** `--output-lines` as given: it decides how the command is started, before the configuration is read. */
  readonly outputLines: string | undefined
  readonly isStrict: boolean
  readonly json: boolean
  /** Creates the log, once the command has been started. */
  readonly openLog: () => Promise<Log>
  /** Reads the configuration, once the command has been started. Throws a Failure, soon after the signal aborts. */
  readonly loadSession: (log: Log, signal: AbortSignal) => Promise<Session>
  /** Called when the command has ended, before that is reported. Never rejects. */
  readonly beforeReport?: (isCancelled: boolean) => Promise<void>
}

/**
 * `run -- CMD`: starts the command at once, passes everything through, and reports how it ended. Nothing that is wrong
 * with the configuration or with PagerDuty keeps it from running or changes its status, except with `--strict`. The command
 * is started before anything is read that could be slow or wrong, such as files with secrets; only `--maintenance` needs
 * the configuration first.
 * @returns the exit status
 */
export async function run(io: Io, { options, commandLine = [] }: CommandLine): Promise<number> {
  const { env, writeErr } = io
  const { json, logLevel, logFormat } = loadPrintConfig(gather({ options, env, readFile: () => '' }))
  const [program = '', ...args] = commandLine
  const outputLines = options['output-lines']
  const runOptions: RunOptions = {
    io,
    argv: [program, ...args],
    outputLines: outputLines === true ? undefined : outputLines?.at(-1),
    isStrict: options.strict === true,
    json,
    openLog: () => createLog({ level: logLevel, format: logFormat, write: writeErr }),
    loadSession: async (log, signal) => {
      const readFile = await readFiles(env, (path) => io.readFile(path, signal))
      const build = await detectBuild(env, readFile)
      const config = loadConfig(gather({ options, env, readFile }), { env, build }, true)
      for (const warning of config.warnings) log.warn(warning)
      const missing = counterMissing(config)
      if (missing !== undefined) throw new Failure('config', missing)
      const unconfirmable = confirmMissing(config)
      if (unconfirmable === undefined) return createSession({ io, config, log, command: 'run', json })
      log.error(`${unconfirmable}; the outcome is reported, but not confirmed`)
      return createSession({ io, config: { ...config, confirm: false }, log, command: 'run', json })
    },
  }
  return options.maintenance === undefined ? await watch(runOptions) : await watchInMaintenance(runOptions)
}

/**
 * Opens the maintenance window, runs the command, and ends the window before the outcome is reported: PagerDuty drops
 * events while it is open. Without `--strict` the command runs even if the window cannot be opened.
 */
async function watchInMaintenance(options: RunOptions): Promise<number> {
  const { io, isStrict, json } = options
  const log = await options.openLog()
  const opened = await openWindow(options, log)
  if (io.signal.aborted) {
    if (!(opened instanceof Failure)) await opened.end(true)
    return Number(io.signal.reason)
  }
  const openLog = (): Promise<Log> => Promise.resolve(log)
  if (!(opened instanceof Failure)) {
    const loadSession = (): Promise<Session> => Promise.resolve(opened.session)
    return await watch({ ...options, openLog, loadSession, beforeReport: opened.end })
  }
  log.error(`no maintenance window: ${opened.message}`)
  if (!isStrict) return await watch({ ...options, openLog })
  const exitCode = EXIT_CODE[opened.kind === 'usage' ? 'config' : opened.kind]
  if (json) io.writeOut(failureLine('run', opened, exitCode))
  return exitCode
}

async function openWindow(
  { loadSession, io, isStrict }: RunOptions,
  log: Log,
): Promise<(Maintenance & { readonly session: Session }) | Failure> {
  try {
    const session = await loadSession(log, io.signal)
    const { openMaintenance } = await import('./maintenance-window.ts')
    return { session, ...(await openMaintenance(session, isStrict)) }
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

async function watch(runOptions: RunOptions): Promise<number> {
  const { io, argv, isStrict } = runOptions
  const startedAtMs = performance.now()
  const tail = wantsTail(runOptions.outputLines) ? createTail() : undefined
  const heartbeat = createHeartbeat()
  // First: a signal that ended only this process would leave the command unwatched.
  const signals = watchSignals(io, (signal) => command.forward(signal))
  const command = supervise({ argv, tail, onOutput: heartbeat.beat, kill: io.kill })
  keepCompilerFromHanging()
  const words: string[] = [] // for stdout, after the command's own output
  const options = { ...runOptions, io: { ...io, writeOut: (text: string) => void words.push(text) } }
  const log = await options.openLog()
  const session = await prepare(options, { log, heartbeat, signals })
  // Only now: if that fails, the files with secrets have been read, so that they are masked.
  const startedAt = new Date(Date.now() - (performance.now() - startedAtMs)).toISOString()
  const incidents = await startWatch(session)
  const reported = new AbortController()
  const ready: { transport?: Transport | undefined } = {}
  const over = new AbortController()
  const keeping = keepStarted(session, { startedAtMs, startedAt }, over.signal)
  const warmingUp = setTimeout(() => {
    // Whatever fails there must not end `run` before its command; the report meets it again, and says what it is.
    whileItRuns(session, ready, reported.signal).catch(() => undefined)
  }, WARM_UP_MS)

  // The report waits neither for processes that the command has left behind, nor for a cancelled command that is slow to end.
  const early = await Promise.race([command.ended, signals.overdue])
  clearTimeout(warmingUp)
  const durationMs = performance.now() - startedAtMs
  over.abort()
  await keeping // the outcome must not overtake the start
  const isCancelled = signals.isCancelled(early)
  const watched = { argv, tail, startedAt, durationMs, ending: early, isCancelled }
  const reporting = report(session instanceof Failure ? session : { ...session, ...ready }, watched, {
    ...options,
    log,
  })
  const ending = await command.ended
  heartbeat.stop()
  signals.commandEnded()
  if (signals.isCancelled(ending)) await command.sweep()
  const [reportStatus, lost] = await Promise.all([reporting, command.passedOn])
  if (lost !== undefined) log.warn(`cannot write to ${lost}, so some output is missing`)
  reported.abort()
  command.close()
  const status = runStatus(ending, reportStatus, isStrict)
  const isDeployed = ending.exitCode === 0 && !watched.isCancelled
  const result = isDeployed ? await finishWatch(incidents, session) : undefined
  const exitCode = status === 0 && isStrict ? (result?.exitCode ?? 0) : status
  for (const text of words) io.writeOut(result === undefined ? text : result.addTo(text, exitCode))
  return exitCode
}

/** With `--within` or `--suspended`, reports that the command runs to whatever watches the clock. */
async function keepStarted(
  session: Session | Failure,
  start: CommandStart,
  over: AbortSignal,
): Promise<void> {
  if (session instanceof Failure || session.config.dryRun) return
  const { isSuspended, withinMs } = session.config.started
  if (!isSuspended && withinMs === undefined) return
  const keep = await import('./keep-started.ts')
  await keep.keepStarted(session, start, over)
}

/** Uses the time while the command runs to prepare its report, and to say who would be paged. */
async function whileItRuns(
  session: Session | Failure,
  ready: { transport?: Transport | undefined },
  reported: AbortSignal,
): Promise<void> {
  if (session instanceof Failure) return
  const { rehearseReport } = await import('./rehearse-report.ts')
  ready.transport = await rehearseReport(session).catch(() => undefined)
  const { dryRun, rest } = session.config
  if (dryRun || rest.token === undefined || reported.aborted) return
  const { logWhoIsPaged } = await import('./who-is-paged.ts')
  await logWhoIsPaged(session, reported)
}

/**
 * Keeps V8's middle compiler from working on other threads. If it needs memory just as the process exits, it waits for the
 * garbage collector of a thread that waits for it (nodejs/node#54918), and a command with much output would never end. V8
 * accepts no code cache that was made with other flags, so call this after starting the command, and before any of its output
 * has to be handled.
 */
function keepCompilerFromHanging(): void {
  setFlagsFromString('--no-maglev')
}

function wantsTail(outputLines: string | undefined): boolean {
  try {
    return outputLines === undefined || RUN_SETTINGS.outputLines.parse(outputLines.trim()) > 0
  } catch {
    return true // reported with the rest of the configuration
  }
}

interface Preparation {
  readonly log: Log
  readonly heartbeat: Heartbeat
  readonly signals: SignalWatch
}

/** Reads the configuration. What is wrong with it is logged at once, while the command runs. */
async function prepare(
  { loadSession, io: { writeOut } }: RunOptions,
  { log, heartbeat, signals }: Preparation,
): Promise<Session | Failure> {
  try {
    const session = await loadSession(log, signals.stopReading)
    heartbeat.start(log, session.config.run.heartbeatMs)
    return { ...session, io: { ...session.io, writeOut, signal: signals.stopReporting } }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.error(`${error.message}\nthe command runs, but its outcome will not be reported`)
    return error
  }
}

/** @returns the exit status of the report alone */
async function report(
  session: Session | Failure,
  watched: Watched,
  { beforeReport, log, io, json, isStrict }: RunOptions & { log: Log },
): Promise<number> {
  const { argv, ending, isCancelled } = watched
  if (ending?.kind === 'not started') log.error(`${argv[0]}: ${ending.reason}`)
  await beforeReport?.(isCancelled)
  return session instanceof Failure
    ? reportNothing({ io, json }, ending, session, isStrict)
    : await reportRun(session, watched)
}
