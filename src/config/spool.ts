import { parseCount, parseDurationMs } from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** SQLite could hold more, but nobody would look through them. */
const MAX_LIMIT = 10_000_000

/** Where undelivered events are kept. */
export const SPOOL_SETTINGS = inGroup('delivery', {
  spool: {
    variable: 'PAGERDUTY_SPOOL',
    value: 'DIRECTORY',
    help: 'keep events that cannot be delivered in time in this directory, for a relay or flush to deliver',
  },
  spoolLimit: {
    variable: 'PAGERDUTY_SPOOL_LIMIT',
    value: 'N',
    parse: parseCount(MAX_LIMIT),
    default: '100000',
    help: 'how many undelivered events the spool holds at most',
  },
  spoolMaxAge: {
    variable: 'PAGERDUTY_SPOOL_MAX_AGE',
    value: 'TIME',
    parse: parseDurationMs,
    default: '24h',
    help: 'how long to retry an event in the spool before giving up on it; at most 24h',
  },
})

/** Where undelivered events are kept, how many, and for how long. */
export interface SpoolConfig {
  readonly directory: string
  /** The most undelivered events that are kept. */
  readonly limit: number
  readonly maxAgeMs: number
}

/** Reads the settings of the spool; undefined if there is none. */
export function readSpoolConfig(reader: Reader<keyof typeof SPOOL_SETTINGS>): SpoolConfig | undefined {
  const read = valuesOf(reader, SPOOL_SETTINGS)
  const config = { limit: read('spoolLimit'), maxAgeMs: read('spoolMaxAge') }
  const directory = read('spool')
  return directory === undefined ? undefined : { directory, ...config }
}
