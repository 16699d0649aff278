import type { Reader } from './reader.ts'
import { parseCount, parseDurationMs } from './parsers.ts'

/** Where undelivered events are kept, and how many for how long. */
export interface SpoolConfig {
  readonly directory: string
  /** Most events that are kept undelivered. */
  readonly limit: number
  readonly maxAgeMs: number
}

const DEFAULT_LIMIT = 100_000
/** SQLite would take more; nobody would look at them. */
const MAX_LIMIT = 10_000_000
const DAY_MS = 24 * 3_600_000

/** Reads the settings of the spool; undefined where none is set. */
export function readSpoolConfig(reader: Reader): SpoolConfig | undefined {
  const directory = reader.one('spool', (text) => text)
  const limit = reader.one('spoolLimit', parseCount(MAX_LIMIT)) ?? DEFAULT_LIMIT
  const maxAgeMs = reader.one('spoolMaxAge', parseDurationMs) ?? DAY_MS
  return directory === undefined ? undefined : { directory, limit, maxAgeMs }
}
