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

/** How long `run` looks for new incidents after a deployment. */
export const WATCH_AFTER_SETTINGS = inGroup('watch', {
  watchAfter: {
    option: 'watch',
    value: 'TIME',
    parse: parseDurationMs,
    help: 'how long to look for new incidents once the command has succeeded; needs a REST API token',
  },
})

/** How long to look for new incidents. */
export interface WatchConfig {
  /** `watch`. */
  readonly forMs: number
  /** `run`, after its command has succeeded; absent: not at all. */
  readonly afterRunMs?: number
}

type WatchReader = Reader<keyof typeof WATCH_SETTINGS | keyof typeof WATCH_AFTER_SETTINGS>

/** Reads the settings of `watch` and `run`. */
export function readWatchConfig(reader: WatchReader): WatchConfig {
  const afterRunMs = valuesOf(reader, WATCH_AFTER_SETTINGS)('watchAfter')
  return {
    forMs: valuesOf(reader, WATCH_SETTINGS)('watchFor'),
    ...(afterRunMs !== undefined && { afterRunMs }),
  }
}
