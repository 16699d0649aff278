import type { Reader } from './reader.ts'
import { parseCount, parseDurationMs, parseExitCodes } from './values.ts'

/** How `run` watches its command. */
export interface RunConfig {
  /** Whether a report that failed may replace the status of a command that succeeded. */
  readonly strict: boolean
  /** Whether an exit status pages nobody. */
  readonly isSoftFailure: (exitCode: number) => boolean
  /** Lines of the output that the event gets. */
  readonly outputLines: number
  readonly showCommand: boolean
  /** After how much silence a line is printed; absent: never. */
  readonly heartbeatMs?: number
}

const DEFAULT_OUTPUT_LINES = 40
/** More lines than any alert can show. */
export const MAX_OUTPUT_LINES = 10_000

export function readRunConfig(reader: Reader): RunConfig {
  const heartbeatMs = reader.one('heartbeat', parseDurationMs)
  return {
    strict: reader.isSet('strict'),
    isSoftFailure: reader.one('softFail', parseExitCodes) ?? (() => false),
    outputLines: reader.one('outputLines', parseCount(MAX_OUTPUT_LINES)) ?? DEFAULT_OUTPUT_LINES,
    showCommand: reader.isSet('showCommand'),
    ...(heartbeatMs !== undefined && { heartbeatMs }),
  }
}
