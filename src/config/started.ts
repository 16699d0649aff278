import { parseBoolean, parseDurationMs } from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** What happens to a deployment that begins and never ends. */
export const STARTED_SETTINGS = inGroup('started', {
  within: {
    option: 'within',
    variable: 'PAGERDUTY_WITHIN',
    value: 'TIME',
    parse: parseDurationMs,
    help: 'trigger the failure alert if nothing is heard from a deployment for this long, e.g. 30m; default: never',
  },
  suspended: {
    option: 'suspended',
    help: 'let PagerDuty watch the clock: a rule of the service’s orchestration must suspend alerts of the class deploy.started',
  },
  suspendedByDefault: {
    variable: 'PAGERDUTY_SUSPENDED',
    value: 'BOOLEAN',
    parse: parseBoolean,
    help: 'true means --suspended for every command of the deployment',
  },
})

/** What happens to a deployment that begins and never ends. */
export interface StartedConfig {
  /** How long a deployment may be silent; absent: no limit. */
  readonly withinMs?: number
  /** Whether PagerDuty watches the clock, by a rule of its own. */
  readonly isSuspended: boolean
}

/** Reads the settings of deployments that begin. */
export function readStartedConfig(reader: Reader<keyof typeof STARTED_SETTINGS>): StartedConfig {
  const read = valuesOf(reader, STARTED_SETTINGS)
  const withinMs = read('within')
  const isSuspended = read('suspended') || read('suspendedByDefault') === true
  return { isSuspended, ...(withinMs !== undefined && { withinMs }) }
}
