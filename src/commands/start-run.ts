import { detectBuild } from '../ci/detect-build.ts'
import { gather } from '../config/sources.ts'
import { loadConfig, loadPrintConfig } from '../config/load.ts'
import { readFiles } from '../config/sources.ts'
import { createLog } from '../log.ts'
import type { CommandLine } from '../cli/args.ts'
import { run, type RunOptions } from './run.ts'
import type { Io } from '../cli/session.ts'

/**
 * `run`, whose command is started before anything is read that could be slow or wrong: files of secrets, the build. Only
 * with `--maintenance` it waits for that, shortly.
 * @returns the exit status
 */
export async function startRun(io: Io, { options, commandLine = [] }: CommandLine): Promise<number> {
  const { env, writeErr } = io
  const printing = loadPrintConfig(gather({ options, env, readFile: () => '' }))
  const [program = '', ...args] = commandLine
  const outputLines = options['output-lines']
  const runOptions: RunOptions = {
    io,
    argv: [program, ...args],
    outputLines: outputLines === true ? undefined : outputLines?.at(-1),
    isStrict: options.strict === true,
    json: printing.json,
    openLog: () => createLog({ level: printing.logLevel, format: printing.logFormat, write: writeErr }),
    loadSession: async (log, signal) => {
      const readFile = await readFiles(env, (path) => io.readFile(path, signal))
      const build = await detectBuild(env, readFile)
      const config = loadConfig(gather({ options, env, readFile }), { env, build }, true)
      for (const warning of config.warnings) log.warn(warning)
      return { io, config, log, command: 'run', json: printing.json }
    },
  }
  if (options.maintenance === undefined) return await run(runOptions)
  const { runInMaintenance } = await import('./maintenance-window.ts')
  return await runInMaintenance(runOptions)
}
