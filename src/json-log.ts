import { pino, type Logger } from 'pino'
import type { LogLevel } from './config/printing.ts'

/** A log of JSON lines. It is a separate file so that a text log does not load pino. */
export function createJsonLog(level: LogLevel, write: (text: string) => void): Logger {
  return pino({ level, base: { name: 'pagerduty-alert' } }, { write })
}
