import { EXIT_CODE } from './core/failure.ts'
import { createLog } from './log.ts'
import { version } from './version.ts'
import { parseCommandLine } from './cli/args.ts'
import { failureLine, toFailure } from './cli/report-failure.ts'
import { runCommand } from './run-command.ts'
import type { Io } from './cli/session.ts'
import type { StartRelay } from './start-serve.ts'

/**
 * Runs one command line from beginning to end. What a command needs is loaded once it is known which one it is.
 * @returns the exit status; never rejects
 */
export async function main(io: Io, startRelay: StartRelay): Promise<number> {
  const plainLog = await createLog({ level: 'info', format: 'text', write: io.writeErr })
  try {
    const line = parseCommandLine(io.argv)
    if (line.options.version === true) return print(io, `${version}\n`)
    if (line.command === 'help') {
      const { helpText } = await import('./cli/help.ts')
      return print(io, helpText(line.operands[0]))
    }
    if (line.command === 'completion') {
      const { completionScript } = await import('./cli/completion.ts')
      return print(io, completionScript(line.operands[0]))
    }
    if (line.command === 'run') {
      const { startRun } = await import('./commands/start-run.ts')
      return await startRun(io, line)
    }
    if (line.command === 'serve') {
      const { startServe } = await import('./start-serve.ts')
      return await startServe(io, line, startRelay)
    }
    return await runCommand(io, line, line.command)
  } catch (error) {
    const failure = toFailure(error, io)
    plainLog.error(failure.message)
    const end = io.argv.indexOf('--') // what follows belongs to the command of `run`
    const words = end === -1 ? io.argv : io.argv.slice(0, end)
    if (words.includes('--json')) io.writeOut(failureLine('', failure, EXIT_CODE[failure.kind]))
    return EXIT_CODE[failure.kind]
  }
}

function print(io: Io, text: string): number {
  io.writeOut(text)
  return 0
}
