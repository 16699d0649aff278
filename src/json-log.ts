import { pino, type Logger } from 'pino'
import type { LogLevel } from './config/printing.ts'

/** A log of JSON lines. A file of its own, so that whoever asks for text does not load pino. */
export function createJsonLog(level: LogLevel, write: (text: string) => void): Logger {
  return pino({ level, base: { name: 'pagerduty-alert' } }, { write })
}
