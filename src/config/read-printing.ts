import type { Reader } from './reader.ts'
import { parseChoice } from './parsers.ts'

/** pino's level names, and `silent`. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What is printed, and how. */
export interface PrintConfig {
  readonly logLevel: LogLevel
  readonly logFormat: 'text' | 'json'
  /** The result as one line of JSON on stdout. */
  readonly json: boolean
}

/** Reads the settings of what is printed; `--quiet` and `--verbose` win over `LOG_LEVEL`. */
export function readPrintConfig(reader: Reader): PrintConfig {
  const fromVariable = reader.one('logLevel', parseChoice(LOG_LEVELS)) ?? 'info'
  const logLevel = reader.isSet('verbose') ? 'debug' : reader.isSet('quiet') ? 'error' : fromVariable
  return {
    logLevel,
    logFormat: reader.one('logFormat', parseChoice(['text', 'json'])) ?? 'text',
    json: reader.isSet('json'),
  }
}
