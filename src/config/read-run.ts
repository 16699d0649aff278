import { Failure } from '../core/failure.ts'
import type { Reader } from './reader.ts'
import { parseCount, parseDurationMs, parseExitCodes } from './parsers.ts'

/** How `run` watches its command. */
export interface RunConfig {
  /** Whether a report that failed may replace the status of a command that succeeded. */
  readonly strict: boolean
  /** Whether an exit status pages nobody. */
  readonly isSoftFailure: (exitCode: number) => boolean
  /** Lines of the output that the event gets. */
  readonly outputLines: number
  readonly showCommand: boolean
  /** Longest time that the service is in maintenance; absent: not at all. */
  readonly maintenanceMs?: number
  /** After how much silence a line is printed; absent: never. */
  readonly heartbeatMs?: number
}

const DEFAULT_OUTPUT_LINES = 40
/** More lines than any alert can show. */
export const MAX_OUTPUT_LINES = 10_000

/** A day: longer than any deployment, and a service that is muted by mistake comes back. */
const MAX_MAINTENANCE_MINUTES = 24 * 60

export function readRunConfig(reader: Reader): RunConfig {
  const maintenanceMinutes = reader.one('maintenance', parseMinutes)
  const heartbeatMs = reader.one('heartbeat', parseDurationMs)
  return {
    strict: reader.isSet('strict'),
    isSoftFailure: reader.one('softFail', parseExitCodes) ?? (() => false),
    outputLines: reader.one('outputLines', parseCount(MAX_OUTPUT_LINES)) ?? DEFAULT_OUTPUT_LINES,
    showCommand: reader.isSet('showCommand'),
    ...(maintenanceMinutes !== undefined && { maintenanceMs: maintenanceMinutes * 60_000 }),
    ...(heartbeatMs !== undefined && { heartbeatMs }),
  }
}

function parseMinutes(text: string): number {
  const minutes = parseCount(MAX_MAINTENANCE_MINUTES)(text)
  if (minutes === 0) throw new Failure('usage', `must be minutes from 1 to ${MAX_MAINTENANCE_MINUTES}`)
  return minutes
}
