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

/** How long `run` and the relay look for new incidents after a deployment. */
export const WATCH_AFTER_SETTINGS = inGroup('watch', {
  watchAfter: {
    option: 'watch',
    variable: 'PAGERDUTY_RELAY_WATCH',
    value: 'TIME',
    parse: parseDurationMs,
    help: 'how long to look for new incidents after a deployment; needs a REST API token. `run` ignores the variable',
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

/** Reads the settings of `watch` and `run`. An environment is often shared with a relay, whose variable must not make `run` wait. */
export function readWatchConfig(reader: WatchReader): WatchConfig {
  const isOption = reader.traced('watchAfter')?.origin === `--${WATCH_AFTER_SETTINGS.watchAfter.option}`
  const afterRunMs = isOption ? readRelayWatchMs(reader) : undefined
  return {
    forMs: valuesOf(reader, WATCH_SETTINGS)('watchFor'),
    ...(afterRunMs !== undefined && { afterRunMs }),
  }
}

/** Reads how long the relay looks for new incidents after a deployment; undefined if not at all. */
export function readRelayWatchMs(reader: Reader<keyof typeof WATCH_AFTER_SETTINGS>): number | undefined {
  return valuesOf(reader, WATCH_AFTER_SETTINGS)('watchAfter')
}
