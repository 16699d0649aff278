import { detectBuild } from '../ci/detect-build.ts'
import { gather, type Gathered, type Problem } from '../config/gather.ts'
import { loadConfig, loadPrintConfig } from '../config/load-config.ts'
import { readFiles } from '../config/read-files.ts'
import { createReader } from '../config/reader.ts'
import { Failure } from '../core/failure.ts'
import type { EventCommand } from '../core/plan-events.ts'
import type { CommandResult } from '../core/summary.ts'
import { createLog } from '../log.ts'
import type { CommandLine } from './args.ts'
import { notify } from './notify.ts'
import { reportFailure, toFailure } from './report-failure.ts'
import type { Io } from './session.ts'
import { parseStatus } from './status.ts'

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
    const chosen = named === undefined ? commandFromStatus(gathered) : { command: named, result: {} }
    command = chosen.command
    const build = await detectBuild(io.env, readFile)
    if (command === 'doctor') {
      const { doctor } = await import('./doctor.ts')
      return await doctor({ io, log, json: printing.json }, gathered, build)
    }
    const needsKey = command !== 'send' && command !== 'gate' && command !== 'flush'
    const config = loadConfig(gathered, { env: io.env, build }, needsKey)
    for (const warning of config.warnings) log.warn(warning)
    const session = { io, config, log, command, json: printing.json }
    if (command === 'flush') return await (await import('./flush.ts')).flush(session)
    if (command === 'gate') return await (await import('./gate.ts')).gate(session)
    if (command !== 'send') return await notify(session, command, chosen.result)
    const { send } = await import('./send.ts')
    return await send(session, line.operands[0])
  } catch (error) {
    return reportFailure({ io, log, printing, command }, toFailure(error, io))
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
