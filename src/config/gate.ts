import { parseBoolean, parseChoice, parseDurationMs } from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** When `gate` lets a deployment pass. */
export const GATE_SETTINGS = inGroup('gate', {
  urgency: {
    option: 'urgency',
    value: 'LEVEL',
    parse: parseChoice<'high' | 'low'>(['high', 'low']),
    help: 'count only incidents of this urgency, high or low; default: both',
  },
  allowRollback: {
    option: 'allow-rollback',
    help: 'let a rollback pass: PAGERDUTY_ROLLBACK=true, or a commit made by git revert',
  },
  rollback: {
    variable: 'PAGERDUTY_ROLLBACK',
    value: 'BOOLEAN',
    parse: parseBoolean,
    help: 'whether this deployment is a rollback: true or false',
  },
  onCall: {
    option: 'on-call',
    help: 'also exit with 1 if nobody is on call for the service',
  },
  wait: {
    option: 'wait',
    value: 'TIME',
    parse: parseDurationMs,
    help: 'how long to wait for incidents to be resolved, e.g. 10m; default: do not wait',
  },
})

/** When `gate` lets a deployment pass. */
export interface GateConfig {
  /** The urgency that counts; absent: both. */
  readonly urgency?: 'high' | 'low'
  readonly allowRollback: boolean
  /** What the pipeline says; absent: the commit decides. */
  readonly isRollback?: boolean
  /** Whether somebody has to be on call. */
  readonly needsOnCall: boolean
  readonly waitMs?: number
}

/** Reads the settings of `gate`. */
export function readGateConfig(reader: Reader<keyof typeof GATE_SETTINGS>): GateConfig {
  const read = valuesOf(reader, GATE_SETTINGS)
  const urgency = read('urgency')
  const isRollback = read('rollback')
  const waitMs = read('wait')
  return {
    ...(urgency && { urgency }),
    allowRollback: read('allowRollback'),
    ...(isRollback !== undefined && { isRollback }),
    needsOnCall: read('onCall'),
    ...(waitMs !== undefined && { waitMs }),
  }
}
