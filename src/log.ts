import type { LogLevel } from './config/printing.ts'

/** The program's own messages, all on stderr. A message contains no secrets: its author has masked them. */
export interface Log {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

export interface LogOptions {
  readonly level: LogLevel
  readonly format: 'text' | 'json'
  readonly write: (text: string) => void
}

/** pino's numbers, so that a level hides the same messages in both formats. */
const LEVEL: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Number.POSITIVE_INFINITY,
}

/** A log in the given format. pino is loaded only for JSON: text does not need it, and it costs start-up time. */
export async function createLog({ level, format, write }: LogOptions): Promise<Log> {
  if (format === 'json') {
    const { createJsonLog } = await import('./json-log.ts')
    const logger = createJsonLog(level, write)
    return {
      debug: (message) => logger.debug(message),
      info: (message) => logger.info(message),
      warn: (message) => logger.warn(message),
      error: (message) => logger.error(message),
    }
  }
  const line =
    (threshold: number, prefix: string) =>
    (message: string): void => {
      if (threshold < LEVEL[level]) return
      for (const part of message.split('\n')) write(`pagerduty-alert: ${prefix}${part}\n`)
    }
  return {
    debug: line(LEVEL.debug, ''),
    info: line(LEVEL.info, ''),
    warn: line(LEVEL.warn, 'warning: '),
    error: line(LEVEL.error, 'error: '),
  }
}
