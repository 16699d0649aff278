import { parseDurationMs } from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** How long `watch` looks for new incidents. */
export const WATCH_SETTINGS = inGroup('gate', {
  watchFor: {
    option: 'for',
    value: 'TIME',
    parse: parseDurationMs,
    default: '15m',
    help: 'how long to look for new incidents',
  },
})

/** How long `watch` looks for new incidents. */
export interface WatchConfig {
  readonly forMs: number
}

/** Reads the settings of `watch`. */
export function readWatchConfig(reader: Reader<keyof typeof WATCH_SETTINGS>): WatchConfig {
  return { forMs: valuesOf(reader, WATCH_SETTINGS)('watchFor') }
}
