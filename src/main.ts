import { detectBuild, isBuild } from './ci/detect-build.ts'

import { parseCommandLine, type CommandLine } from './cli/args.ts'
import { failureLine, reportFailure, toFailure } from './cli/report.ts'
import { createSession, type Io } from './cli/session.ts'
import { notify } from './commands/notify.ts'
import { confirmMissing, loadConfig, loadPrintConfig } from './config/load.ts'
import { createReader } from './config/setting.ts'
import { gather, readFiles, type Gathered } from './config/sources.ts'
import { EXIT_CODE, Failure } from './core/failure.ts'
import { parseJobStatus } from './core/job-status.ts'
import type { EventCommand } from './core/plan-events.ts'
import type { CommandResult } from './core/summary.ts'
import { createLog, type Log } from './log.ts'
import { version } from './version.ts'

/**
 * Runs one command line from beginning to end. What only some commands need is loaded once the command is known.
 * @returns the exit status; never rejects
 */
export async function main(io: Io): Promise<number> {
  try {
    return await dispatch(io, parseCommandLine(io.argv))
  } catch (error) {
    const failure = toFailure(error, io)
    const log = await createLog({ level: 'info', format: 'text', write: io.writeErr })
    log.error(failure.message)
    const end = io.argv.indexOf('--') // what follows belongs to the command of `run`
    const words = end === -1 ? io.argv : io.argv.slice(0, end)
    if (words.includes('--json')) io.writeOut(failureLine('', failure, EXIT_CODE[failure.kind]))
    return EXIT_CODE[failure.kind]
  }
}

async function dispatch(io: Io, line: CommandLine): Promise<number> {
  if (line.options.version === true) return print(io, `${version}\n`)
  const { command, operands } = line
  if (command === 'help') return print(io, (await import('./cli/help.ts')).helpText(operands[0]))
  if (command === 'completion')
    return print(io, (await import('./cli/completion.ts')).completionScript(operands[0]))
  if (command === 'run') return await (await import('./commands/run.ts')).run(io, line)
  if (command === 'serve') return await startRelay(io, line)
  return await runCommand(io, line, command)
}

function print(io: Io, text: string): number {
  io.writeOut(text)
  return 0
}

/** `serve`: reads the configuration and runs the relay until a signal ends it. @returns the exit status */
async function startRelay(io: Io, { options }: CommandLine): Promise<number> {
  const { env, hostname, writeOut, writeErr, takeSignals } = io
  const readFile = await readFiles(env, io.readFile)
  if (io.signal.aborted) return Number(io.signal.reason)
  const build = await detectBuild(env, readFile)
  const { loadRelayConfig } = await import('./config/load-relay.ts')
  const config = loadRelayConfig(gather({ options, env, readFile }), { env, build })
  const { serve } = await import('./relay/serve.ts') // only now: an invalid configuration need not load the server
  return await serve({ config, hostname, writeOut, writeErr, takeSignals })
}

/** The commands that have a session: all but `run` and `serve`, which make their own, and those that only print. */
type SessionCommand = Exclude<NonNullable<CommandLine['command']>, 'completion' | 'help' | 'run' | 'serve'>

/** Runs a command that sends or checks something. @returns the exit status */
async function runCommand(io: Io, line: CommandLine, named: SessionCommand | undefined): Promise<number> {
  const readFile = await readFiles(io.env, io.readFile)
  const gathered = gather({ options: line.options, env: io.env, readFile })
  const printing = loadPrintConfig(gathered)
  const { json } = printing
  const log = await createLog({ level: printing.logLevel, format: printing.logFormat, write: io.writeErr })
  let command: string = named ?? 'success'
  try {
    const build = await detectBuild(io.env, readFile)
    const chosen = named === undefined ? commandFromStatus(gathered, log) : { command: named, result: {} }
    const { command: name, result } = chosen ?? (await defaultCommand(io, isBuild(io.env, build)))
    if (name === 'skipped') return reportNothing(io, log, json)
    command = name
    if (name === 'doctor')
      return await (await import('./commands/doctor/doctor.ts')).doctor({ io, log, json }, gathered, build)
    const needsKey = !WITHOUT_KEY.has(name)
    const config = loadConfig(gathered, { env: io.env, build }, needsKey)
    for (const warning of config.warnings) log.warn(warning)
    if (named === 'success' && line.options['severity'] && config.event.as === 'change')
      throw new Failure('usage', `--severity: ${NO_SEVERITY}`)
    const unconfirmable = confirmMissing(config)
    if (unconfirmable !== undefined) throw new Failure('config', unconfirmable)
    const session = createSession({ io, config, log, command, json })
    if (name === 'flush') return await (await import('./commands/flush.ts')).flush(session)
    if (name === 'fleet') return await (await import('./commands/fleet.ts')).fleet(session, line.operands)
    if (name === 'started') return await (await import('./commands/started.ts')).started(session)
    if (name === 'spool') return await (await import('./commands/spool.ts')).spool(session, line.operands)
    if (name === 'deployments' || name === 'report')
      return await (await import('./commands/deployments.ts'))[name](session)
    if (name === 'gate') return await (await import('./commands/gate.ts')).gate(session)
    if (name === 'watch') return await (await import('./commands/watch.ts')).watch(session, line)
    if (name === 'send') return await (await import('./commands/send.ts')).send(session, line)
    return await notify(session, name, result)
  } catch (error) {
    return reportFailure({ io, log, printing, command }, toFailure(error, io))
  }
}

/** Commands that need no routing key: their event may bring one, or they send none. */
const WITHOUT_KEY: ReadonlySet<string> = new Set([
  'send',
  'gate',
  'watch',
  'flush',
  'fleet',
  'spool',
  'deployments',
  'report',
])
const NO_SEVERITY = 'a change event has none; use --as alert or --as both to send an alert, which has one'

/** A command that the command line does not name, and what is known about the deployment's outcome. */
interface ImpliedCommand {
  readonly command: EventCommand | 'skipped'
  readonly result: CommandResult
}

/** The command that `--status` (a CI's word or an exit status) stands for; undefined if there is no status. */
function commandFromStatus({ values }: Gathered, log: Log): ImpliedCommand | undefined {
  const status = createReader(values, []).traced('status')
  if (status === undefined) return undefined
  const { outcome, exitCode, isKnown } = parseJobStatus(status.value)
  if (!isKnown) {
    log.warn(
      `${status.origin}: unknown word, reported as a failure; expected success, failure, cancelled, skipped, ` +
        'a word of a common CI, or an exit status',
    )
  }
  return { command: outcome, result: outcome === 'success' || exitCode === undefined ? {} : { exitCode } }
}

/** A job that did not run deployed nothing and broke nothing. */
function reportNothing(io: Io, log: Log, json: boolean): number {
  log.info('nothing to report: the job was skipped')
  const line = { command: 'skipped', outcome: 'skipped', exit_code: 0, events: [] }
  return json ? print(io, `${JSON.stringify(line)}\n`) : 0
}

/**
 * The command if neither a command nor a status is given. A build's step that is reached has succeeded. A person who
 * types the program's name in a terminal wants to know what it is, so they get the help, and PagerDuty gets nothing.
 * @throws Failure of kind `usage` outside a build, if stdin is a terminal
 */
async function defaultCommand(io: Io, isInBuild: boolean): Promise<ImpliedCommand> {
  if (isInBuild || !io.isStdinTerminal) return { command: 'success', result: {} }
  const { helpText } = await import('./cli/help.ts')
  io.writeErr(`${helpText(undefined)}\n`)
  throw new Failure(
    'usage',
    'no command was given, so nothing was sent; name one, such as success (the default, but only in a CI build)',
  )
}
