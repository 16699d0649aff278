import { setFlagsFromString } from 'node:v8'
import { RUN_SETTINGS } from '../config/run.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import type { Log } from '../log.ts'
import { ENDING_SIGNALS, supervise, type Ending, type Supervised } from '../run/supervise.ts'
import { createTail } from '../run/output-tail.ts'
import { createHeartbeat, type Heartbeat } from './heartbeat.ts'
import { reportNothing, reportRun, runStatus, type Watched } from './report-run.ts'
import type { Io, Session } from '../cli/session.ts'

/**
 * How long a cancelled command may take to end before its cancellation is reported: with the time that the report may
 * take it fits into the 10 s that Docker leaves between SIGTERM and SIGKILL.
 */
const CANCEL_WAIT_MS = 4000

/** A command that ends sooner is reported by what is loaded while its connection is being opened. */
const WARM_UP_MS = 50

/**
 * Signals that would end us alone, and leave the command unwatched, besides those that every command of ours takes; and two
 * that are meant for programs with a terminal. Not among them are those by which the system reports a fault of our own.
 */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGVTALRM',
  'SIGPROF',
  'SIGIO',
  'SIGPWR',
  'SIGXCPU',
  'SIGSTKFLT',
  'SIGWINCH',
  'SIGCONT',
]

export interface RunOptions {
  readonly io: Io
  readonly argv: readonly [string, ...string[]]
  /** `--output-lines` as given: it decides how the command is started, before the configuration is read. */
  readonly outputLines: string | undefined
  readonly isStrict: boolean
  readonly json: boolean
  /** Makes the log, once the command has been started. */
  readonly openLog: () => Promise<Log>
  /** Reads the configuration, once the command has been started. Throws a Failure, soon after the signal aborts. */
  readonly loadSession: (log: Log, signal: AbortSignal) => Promise<Session>
  /** What is done when the command has ended and before that is reported. Never rejects. */
  readonly beforeReport?: (isCancelled: boolean) => Promise<void>
}

/**
 * `run -- CMD`: starts the command at once, passes everything through, and reports how it ended. Nothing that is wrong
 * with the configuration or with PagerDuty keeps it from running or changes its status, but `--strict` for a success.
 * @returns the exit status
 */
export async function run(runOptions: RunOptions): Promise<number> {
  const { io, argv, isStrict } = runOptions
  const startedAtMs = performance.now()
  const tail = wantsTail(runOptions.outputLines) ? createTail() : undefined
  const heartbeat = createHeartbeat()
  const command = supervise({ argv, tail, onOutput: heartbeat.beat, kill: io.kill })
  keepCompilerFromHanging()
  const watch = watchSignals(io, command)
  const words: string[] = [] // for stdout, after all that the command prints there
  const options = { ...runOptions, io: { ...io, writeOut: (text: string) => void words.push(text) } }
  const log = await options.openLog()
  const session = await prepare(options, { log, heartbeat, watch })
  const warmingUp = setTimeout(() => void warmUpFor(session), WARM_UP_MS)

  // The report does not wait for what the command has left behind, and not for a cancelled one that takes its time.
  const early = await Promise.race([command.ended, watch.overdue])
  clearTimeout(warmingUp)
  const durationMs = performance.now() - startedAtMs
  const watched = { argv, tail, durationMs, ending: early, isCancelled: watch.isCancelled(early) }
  const reporting = report(session, watched, { ...options, log })
  const ending = await command.ended
  heartbeat.stop()
  watch.commandEnded()
  if (watch.isCancelled(ending)) await command.sweep()
  const [reportStatus] = await Promise.all([reporting, command.passedOn])
  command.close()
  words.forEach((text) => io.writeOut(text))
  return runStatus(ending, reportStatus, isStrict)
}

/**
 * Loads the HTTP client, TLS with its certificate authorities, and the masker while there is nothing else to do, so that the
 * report only waits for the network. It opens no connection: the server would close one that is idle for so long.
 */
async function warmUpFor(session: Session | Failure): Promise<void> {
  if (session instanceof Failure || session.config.dryRun) return
  const [{ composeTransport }] = await Promise.all([import('../compose.ts'), import('./masked-run.ts')])
  composeTransport(session.config.delivery)
}

/**
 * Keeps V8's middle compiler from working on other threads. Where it asks for memory just as the process exits, it waits for
 * the garbage collection of a thread that waits for it (nodejs/node#54918), and a command with much output would never end.
 * With another flag than it was made with V8 takes no code cache, so what Node has yet to load is compiled anew: hence after
 * the command was started, and before there is any of its output to work on.
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

/** What becomes of the signals that we get. */
interface SignalWatch {
  /**
   * Whether the command was cancelled: asked to end while it ran, or ended by another signal that it got through us.
   * @param ending undefined while it runs
   */
  readonly isCancelled: (ending: Ending | undefined) => boolean
  /** Resolves when a command that was asked to end has not ended in `CANCEL_WAIT_MS`. */
  readonly overdue: Promise<undefined>
  /** From here on signals end the report. */
  readonly commandEnded: () => void
  /** Aborts when the configuration has to be read: what is not there by then is missing. */
  readonly hurry: AbortSignal
  /** Aborts when the report is to end; the reason is its exit status. */
  readonly impatience: AbortSignal
}

/** Passes signals on to the command while it runs. */
function watchSignals(io: Io, command: Supervised): SignalWatch {
  const seen = new Set<string>()
  let isAsked = false
  let hasEnded = false
  const impatience = new AbortController()
  const hurry = new AbortController()
  const overdue = new Promise<undefined>((resolve) => {
    io.takeSignals((signal) => {
      const asksToEnd = ENDING_SIGNALS.has(signal)
      if (hasEnded) {
        if (!asksToEnd) return
        hurry.abort()
        return impatience.abort(EXIT_CODE.undelivered)
      }
      seen.add(signal)
      const isFirst = asksToEnd && !isAsked
      isAsked ||= asksToEnd
      // What came from a terminal has nobody behind it who kills in 10 s: the command may ask whether that is meant.
      const isForwarded = command.forward(signal)
      if (!isFirst || !isForwarded) return
      setTimeout(() => {
        hurry.abort()
        resolve(undefined)
      }, CANCEL_WAIT_MS).unref()
    }, FORWARDED)
  })
  return {
    isCancelled: (ending) => isAsked || (ending?.kind === 'killed' && seen.has(ending.signal)),
    overdue,
    commandEnded: () => (hasEnded = true),
    hurry: hurry.signal,
    impatience: impatience.signal,
  }
}

interface Preparation {
  readonly log: Log
  readonly heartbeat: Heartbeat
  readonly watch: SignalWatch
}

/** Reads the configuration; what is wrong with it is said at once, while the command runs. */
async function prepare(
  { loadSession }: RunOptions,
  { log, heartbeat, watch }: Preparation,
): Promise<Session | Failure> {
  try {
    const session = await loadSession(log, watch.hurry)
    heartbeat.start(log, session.config.run.heartbeatMs)
    return { ...session, io: { ...session.io, signal: watch.impatience } }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.error(`${error.message}\nthe command runs, but its outcome will not be reported`)
    return error
  }
}

/** @returns the exit status of the report by itself */
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
