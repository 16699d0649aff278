import { parseCount, parseDurationMs, parseExitCodes } from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** More lines than any alert can show. */
const MAX_OUTPUT_LINES = 10_000
/** A day: longer than any deployment, and a service that is muted by mistake comes back. */
const MAX_MAINTENANCE_MINUTES = 24 * 60

/** How `run` watches its command. */
export const RUN_SETTINGS = inGroup('run', {
  strict: {
    option: 'strict',
    help: 'exit with 65, 75 or 78 if the command succeeds but its report fails; watch: with 75 if PagerDuty cannot be reached',
  },
  softFail: {
    option: 'soft-fail',
    value: 'CODES',
    parse: parseExitCodes,
    help: 'exit statuses that do not page anyone: a list such as 3,75, or * for all',
  },
  outputLines: {
    option: 'output-lines',
    value: 'N',
    parse: parseCount(MAX_OUTPUT_LINES),
    default: '40',
    help: 'how many of the last lines of output go into the alert; 0 for none, and the command gets the terminal itself',
  },
  showCommand: {
    option: 'show-command',
    help: 'include the command line in the event, with secrets masked',
  },
  maintenance: {
    option: 'maintenance',
    value: 'MINUTES',
    parse: parseCount(MAX_MAINTENANCE_MINUTES, 1),
    help: 'keep the service in maintenance while the command runs, for at most this long; needs a REST API token',
  },
  heartbeat: {
    option: 'heartbeat',
    value: 'TIME',
    parse: parseDurationMs,
    help: 'print a line whenever the command has been silent for this long, e.g. 5m',
  },
})

/** How `run` watches its command. */
export interface RunConfig {
  /** Whether a failed report replaces the exit status of a command that succeeded. */
  readonly strict: boolean
  /** Whether an exit status pages nobody. */
  readonly isSoftFailure: (exitCode: number) => boolean
  /** How many lines of the output's end go into the event. */
  readonly outputLines: number
  readonly showCommand: boolean
  /** How long the service is in maintenance at most; absent: not at all. */
  readonly maintenanceMs?: number
  /** After how much silence a line is printed; absent: never. */
  readonly heartbeatMs?: number
}

/** Reads the settings of `run`. */
export function readRunConfig(reader: Reader<keyof typeof RUN_SETTINGS>): RunConfig {
  const read = valuesOf(reader, RUN_SETTINGS)
  const maintenanceMinutes = read('maintenance')
  const heartbeatMs = read('heartbeat')
  return {
    strict: read('strict'),
    isSoftFailure: read('softFail') ?? (() => false),
    outputLines: read('outputLines'),
    showCommand: read('showCommand'),
    ...(maintenanceMinutes !== undefined && { maintenanceMs: maintenanceMinutes * 60_000 }),
    ...(heartbeatMs !== undefined && { heartbeatMs }),
  }
}
