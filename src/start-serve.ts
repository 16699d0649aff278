import { detectBuild } from './ci/detect-build.ts'
import { gather } from './config/sources.ts'
import { loadRelayConfig, type RelayConfig } from './config/load-relay.ts'
import { readFiles } from './config/sources.ts'
import type { CommandLine } from './cli/args.ts'
import type { Io } from './cli/session.ts'

/** What the relay needs of the process, and what it was told. */
export interface RelayStart extends Pick<Io, 'hostname' | 'writeOut' | 'writeErr' | 'takeSignals'> {
  readonly config: RelayConfig
}

/**
 * Runs the relay until a signal ends it. Handed in by `bin.ts`: commands and relay do not know each other.
 * @returns the exit status
 */
export type StartRelay = (start: RelayStart) => Promise<number>

/**
 * `serve`: reads the configuration and hands over to the relay.
 * @returns the exit status
 */
export async function startServe(io: Io, { options }: CommandLine, startRelay: StartRelay): Promise<number> {
  const { env, hostname, writeOut, writeErr, takeSignals } = io
  const readFile = await readFiles(env, io.readFile)
  if (io.signal.aborted) return Number(io.signal.reason)
  const build = await detectBuild(env, readFile)
  const config = loadRelayConfig(gather({ options, env, readFile }), { env, build })
  return await startRelay({ config, hostname, writeOut, writeErr, takeSignals })
}
