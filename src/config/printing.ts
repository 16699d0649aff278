import { parseChoice } from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** pino's level names, and `silent`. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What is printed. */
export const PRINTING_SETTINGS = inGroup('printing', {
  json: { option: 'json', help: 'print the result as one line of JSON' },
  quiet: { option: 'quiet', help: 'print errors only' },
  verbose: { option: 'verbose', help: 'print every attempt' },
  logLevel: {
    variable: 'LOG_LEVEL',
    value: 'LEVEL',
    parse: parseChoice(LOG_LEVELS),
    default: 'info',
    help: 'trace, debug, info, warn, error, fatal or silent',
  },
  logFormat: {
    variable: 'LOG_FORMAT',
    value: 'FORMAT',
    parse: parseChoice<'text' | 'json'>(['text', 'json']),
    default: 'text',
    help: 'text or json',
  },
})

/** What is printed, and how. */
export interface PrintConfig {
  readonly logLevel: LogLevel
  readonly logFormat: 'text' | 'json'
  /** The result as one line of JSON on stdout. */
  readonly json: boolean
}

/** Reads the settings of what is printed; `--quiet` and `--verbose` win over `LOG_LEVEL`. */
export function readPrintConfig(reader: Reader<keyof typeof PRINTING_SETTINGS>): PrintConfig {
  const read = valuesOf(reader, PRINTING_SETTINGS)
  const fromVariable = read('logLevel')
  const logLevel = read('verbose') ? 'debug' : read('quiet') ? 'error' : fromVariable
  return { logLevel, logFormat: read('logFormat'), json: read('json') }
}
