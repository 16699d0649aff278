import type { Environment } from '../core/build.ts'
import { gather, type Gathered, type Problem } from '../config/gather.ts'
import { loadConfig, loadPrintConfig } from '../config/load-config.ts'
import { createReader } from '../config/reader.ts'
import type { PrintConfig } from '../config/read-printing.ts'
import { SETTING_LIST } from '../config/settings.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { maskSecrets } from '../core/mask.ts'
import type { EventCommand } from '../core/plan-events.ts'
import { createSecret } from '../core/secret.ts'
import type { CommandResult } from '../core/summary.ts'
import { createLog, type Log } from '../log.ts'
import { version } from '../version.ts'
import { parseCommandLine, type CommandLine } from './args.ts'
import { helpText } from './help.ts'
import { notify } from './notify.ts'
import { jsonLine, type Verdict } from './report.ts'
import { send } from './send.ts'
import type { Io } from './session.ts'
import { startRun } from './start-run.ts'
import { parseStatus } from './status.ts'

/**
 * Runs one command line from beginning to end.
 * @returns the exit status; never rejects
 */
export async function main(io: Io): Promise<number> {
  const plainLog = await createLog({ level: 'info', format: 'text', write: io.writeErr })
  try {
    const line = parseCommandLine(io.argv)
    if (line.options.version === true) return print(io, `${version}\n`)
    if (line.command === 'help') return print(io, helpText(line.operands[0]))
    if (line.command === 'run') return await startRun(io, line)
    return await runCommand(io, line, line.command)
  } catch (error) {
    const failure = toFailure(error, io.env)
    plainLog.error(failure.message)
    if (io.argv.includes('--json')) io.writeOut(failureLine('', failure))
    return EXIT_CODE[failure.kind]
  }
}

function print(io: Io, text: string): number {
  io.writeOut(text)
  return 0
}

type SendingCommand = EventCommand | 'send'

async function runCommand(
  io: Io,
  line: CommandLine,
  named: Exclude<CommandLine['command'], 'help' | 'run'>,
): Promise<number> {
  const gathered = gather({ options: line.options, env: io.env, readFile: io.readFile })
  const printing = loadPrintConfig(gathered)
  const log = await createLog({ level: printing.logLevel, format: printing.logFormat, write: io.writeErr })
  let command: SendingCommand = named ?? 'success'
  try {
    const chosen = named === undefined ? commandFromStatus(gathered) : { command: named, result: {} }
    command = chosen.command
    const config = loadConfig(gathered, io.env, command !== 'send')
    for (const warning of config.warnings) log.warn(warning)
    const session = { io, config, log, command, json: printing.json }
    return command === 'send'
      ? await send(session, line.operands[0])
      : await notify(session, command, chosen.result)
  } catch (error) {
    return reportFailure({ io, log, printing, command }, toFailure(error, io.env), gathered)
  }
}

/** Where no command is named, `--status` (a CI's word or an exit status) decides; else it was a success. */
function commandFromStatus({ values }: Gathered): { command: EventCommand; result: CommandResult } {
  const problems: Problem[] = []
  const status = createReader(values, problems).one('status', parseStatus)
  const [problem] = problems
  if (problem !== undefined) throw new Failure(problem.kind, problem.message)
  const { outcome = 'success', exitCode } = status ?? {}
  return { command: outcome, result: outcome === 'success' || exitCode === undefined ? {} : { exitCode } }
}

interface Reporting {
  readonly io: Io
  readonly log: Log
  readonly printing: PrintConfig
  readonly command: string
}

function reportFailure(
  { io, log, printing, command }: Reporting,
  failure: Failure,
  { values }: Gathered,
): number {
  if (io.signal.aborted) return Number(io.signal.reason)
  const secrets = SETTING_LIST.filter(({ secret }) => secret === true).flatMap(({ name }) =>
    (values.get(name)?.texts ?? []).map(createSecret),
  )
  log.error(maskSecrets(failure.message, secrets))
  if (printing.json) io.writeOut(failureLine(command, failure))
  return EXIT_CODE[failure.kind]
}

/** A failure as it is; anything else is a bug. */
function toFailure(error: unknown, env: Environment): Failure {
  return error instanceof Failure ? error : new Failure('internal', describeBug(error, env), { cause: error })
}

/**
 * What is shown of an error that nobody expected: enough to report it, nothing secret. The text of a syntax error is
 * left out, since it quotes what was parsed.
 */
export function describeBug(error: unknown, env: Environment): string {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  const title = name === 'SyntaxError' ? name : `${name}: ${message}`
  const secrets = SETTING_LIST.flatMap(({ variable = '', secret }) =>
    secret === true && env[variable] ? [createSecret(env[variable].trim())] : [],
  )
  return maskSecrets(['this is a bug, please report it', title, ...frames].join('\n'), secrets)
}

/** Nothing was sent: what the user asked for was refused here. */
function failureLine(command: string, { kind, message }: Failure): string {
  const exitCode = EXIT_CODE[kind]
  const verdict: Verdict = kind === 'undelivered' || kind === 'internal' ? 'undelivered' : 'refused'
  return jsonLine({ command, outcome: verdict, exitCode, reason: message })
}
