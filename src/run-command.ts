import { detectBuild } from './ci/detect-build.ts'
import { isBuild } from './ci/detect-build.ts'
import { gather, type Gathered } from './config/sources.ts'
import { loadConfig, loadPrintConfig } from './config/load.ts'
import { readFiles } from './config/sources.ts'
import { createReader } from './config/setting.ts'
import { Failure } from './core/failure.ts'
import { parseJobStatus } from './core/job-status.ts'
import type { EventCommand } from './core/plan-events.ts'
import type { CommandResult } from './core/summary.ts'
import { createLog, type Log } from './log.ts'
import type { CommandLine } from './cli/args.ts'
import { notify } from './commands/notify.ts'
import { reportFailure, toFailure } from './cli/report-failure.ts'
import type { Io } from './cli/session.ts'

/** The commands that have a session: all but `run` and `serve`, which make their own, and `help`. */
type SessionCommand = EventCommand | 'send' | 'gate' | 'flush' | 'doctor'

/**
 * Runs a command that sends or asks something.
 * @returns the exit status
 */
export async function runCommand(
  io: Io,
  line: CommandLine,
  named: Exclude<CommandLine['command'], 'completion' | 'help' | 'run' | 'serve'>,
): Promise<number> {
  const readFile = await readFiles(io.env, io.readFile)
  const gathered = gather({ options: line.options, env: io.env, readFile })
  const printing = loadPrintConfig(gathered)
  const log = await createLog({ level: printing.logLevel, format: printing.logFormat, write: io.writeErr })
  let command: SessionCommand = named ?? 'success'
  try {
    const build = await detectBuild(io.env, readFile)
    const chosen =
      (named === undefined ? commandFromStatus(gathered, log) : { command: named, result: {} }) ??
      (await defaultCommand(io, isBuild(io.env, build)))
    if (chosen.command === 'skipped') return reportNothing(io, log, printing.json)
    command = chosen.command
    if (command === 'doctor') {
      const { doctor } = await import('./commands/doctor/doctor.ts')
      return await doctor({ io, log, json: printing.json }, gathered, build)
    }
    const needsKey = command !== 'send' && command !== 'gate' && command !== 'flush'
    const config = loadConfig(gathered, { env: io.env, build }, needsKey)
    for (const warning of config.warnings) log.warn(warning)
    if (named === 'success' && line.options['severity'] && config.event.as === 'change')
      throw new Failure('usage', `--severity: ${NO_SEVERITY}`)
    const session = { io, config, log, command, json: printing.json }
    if (command === 'flush') return await (await import('./commands/flush.ts')).flush(session)
    if (command === 'gate') return await (await import('./commands/gate.ts')).gate(session)
    if (command !== 'send') return await notify(session, command, chosen.result)
    const { send } = await import('./commands/send.ts')
    return await send(session, line)
  } catch (error) {
    return reportFailure({ io, log, printing, command }, toFailure(error, io))
  }
}

const NO_SEVERITY = 'a change event has none; --as alert or --as both sends an alert, which has'

/** A command that no word of the command line names, and what is known of the deployment's outcome. */
interface ImpliedCommand {
  readonly command: EventCommand | 'skipped'
  readonly result: CommandResult
}

/** What `--status` (a CI's word or an exit status) says the command is; undefined if there is no status. */
function commandFromStatus({ values }: Gathered, log: Log): ImpliedCommand | undefined {
  const status = createReader(values, []).traced('status')
  if (status === undefined) return undefined
  const { outcome, exitCode, isKnown } = parseJobStatus(status.value)
  if (!isKnown) {
    log.warn(
      `${status.origin}: unknown word, reported as a failure; known are success, failure, cancelled, skipped, ` +
        'the words of common CIs, and exit statuses',
    )
  }
  return { command: outcome, result: outcome === 'success' || exitCode === undefined ? {} : { exitCode } }
}

/** A job that did not run deployed nothing and broke nothing. */
function reportNothing(io: Io, log: Log, json: boolean): number {
  log.info('nothing to report: the job was skipped')
  if (json)
    io.writeOut(`${JSON.stringify({ command: 'skipped', outcome: 'skipped', exit_code: 0, events: [] })}\n`)
  return 0
}

/**
 * With neither a command nor a status, a build's step that is reached has succeeded. Somebody who types the program's
 * name in a terminal wants to know what it is, so they get the help, and PagerDuty gets nothing.
 * @throws Failure of kind `usage` outside a build, if stdin is a terminal
 */
async function defaultCommand(io: Io, isInBuild: boolean): Promise<ImpliedCommand> {
  if (isInBuild || !io.isStdinTerminal) return { command: 'success', result: {} }
  const { helpText } = await import('./cli/help.ts')
  io.writeErr(`${helpText(undefined)}\n`)
  throw new Failure(
    'usage',
    'name a command, such as success: only in a CI build is that the default; nothing was sent',
  )
}
