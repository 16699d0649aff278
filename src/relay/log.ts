import type { Logger } from 'pino'
import type { PrintConfig } from '../config/printing.ts'
import { maskSecrets, oneLine } from '../core/mask-secrets.ts'
import type { Secret } from '../core/secret.ts'
import { createJsonLog } from '../json-log.ts'
import type { SpoolOptions } from '../spool/open.ts'
import type { AttemptReport, WorkerEvents } from '../spool/worker/types.ts'
import type { Metrics } from './metrics.ts'

/** A pino log, and a function that writes what is still buffered. */
export interface RelayLog {
  readonly logger: Logger
  readonly flush: () => void
}

/**
 * The relay's log, as JSON or as text. Lines of one turn of the event loop are written together: one write for each line
 * would cost more than everything else. Secrets of the configuration are masked in every line.
 */
export function createRelayLog(
  { logLevel, logFormat }: PrintConfig,
  secrets: readonly Secret[],
  write: (text: string) => void,
): RelayLog {
  const mask = maskerOf(secrets)
  let waiting = ''
  const flush = (): void => {
    const text = waiting
    waiting = ''
    if (text !== '') write(text)
  }
  const logger = createJsonLog(logLevel, (line) => {
    if (waiting === '') setImmediate(flush)
    const masked = mask(line)
    waiting += logFormat === 'json' ? masked : asText(masked)
  })
  return { logger, flush }
}

/** A shorter secret occurs in every line by chance, so masking it would give it away. */
const MIN_SECRET_LENGTH = 8

/** Masks secrets in the form that they have inside a JSON string, in one pass: a relay may have a thousand keys. */
function maskerOf(secrets: readonly Secret[]): (line: string) => string {
  const masks = new Map(
    secrets
      .filter((secret) => secret.reveal().length >= MIN_SECRET_LENGTH)
      .map((secret) => [JSON.stringify(secret.reveal()).slice(1, -1), secret.masked()]),
  )
  if (masks.size === 0) return (line) => line
  const longestFirst = [...masks.keys()].toSorted((a, b) => b.length - a.length) // a part must not hide the whole
  const escaped = longestFirst.map((value) => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  const pattern = new RegExp(escaped.join('|'), 'g')
  return (line) => line.replace(pattern, (value) => masks.get(value) ?? '')
}

const PREFIX: Readonly<Record<number, string>> = { 40: 'warning: ', 50: 'error: ', 60: 'error: ' }
/** Members that the text format omits: it is for people, while log collectors read JSON. */
const LEFT_OUT = new Set(['level', 'time', 'name', 'msg'])

/** `pagerduty-alert: POST /failure 202 (ms=12 dedup_key=deploy/acme/shop/master)`. */
function asText(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>
  const facts = Object.entries(entry).flatMap(([name, value]) =>
    LEFT_OUT.has(name)
      ? []
      : [`${name}=${oneLine(typeof value === 'string' ? value : JSON.stringify(value))}`],
  )
  const details = facts.length === 0 ? '' : ` (${facts.join(' ')})`
  const prefix = PREFIX[Number(entry['level'])] ?? ''
  return String(entry['msg'])
    .split('\n')
    .map(
      (part, index, all) => `pagerduty-alert: ${prefix}${part}${index === all.length - 1 ? details : ''}\n`,
    )
    .join('')
}

/** Logs and counts what the spool's worker does. */
export function createWorkerEvents(logger: Logger, metrics: Metrics): WorkerEvents {
  const log = (
    level: 'info' | 'warn' | 'error',
    message: string,
    report: AttemptReport,
    more?: object,
  ): void => {
    if (logger.isLevelEnabled(level)) logger[level]({ ...factsOf(report), ...more }, message)
  }
  return {
    onDelivered: (report) => {
      metrics.settled(report.event.kind, 202, report.ageMs)
      log('info', 'event delivered', report)
    },
    onRetry: ({ reason, delayMs, ...report }) => {
      metrics.retried(report.event.kind)
      log('warn', 'event not delivered yet', report, { reason, retry_in_ms: Math.round(delayMs) })
    },
    onDead: ({ reason, cause, ...report }) => {
      metrics.dead(report.event.kind, cause)
      if (cause === 'refused') metrics.settled(report.event.kind, report.httpStatus ?? 400, report.ageMs)
      log('error', 'event is dead; retry it with POST /events/retry', report, { reason, cause })
    },
    onLock: (isHeld) =>
      logger.info(isHeld ? 'this relay delivers the spool' : 'another process delivers the spool'),
    onStoreProblem: (reason) => {
      if (reason === undefined) logger.warn('the spool works again')
      else logger.error(`the spool cannot be used: ${reason}`)
    },
  }
}

/** Logs and counts what happens to the spool's files and its dead events. The metrics exist once the spool is open. */
export function createSpoolEvents(
  logger: Logger,
  metrics: () => Metrics,
): Required<Pick<SpoolOptions, 'onWarning' | 'onCrowdedOut'>> {
  return {
    onWarning: (message) => logger.warn(message),
    onCrowdedOut: (count) => {
      metrics().crowdedOut(count)
      logger.warn({ events: count }, 'the oldest dead events were removed to make room')
    },
  }
}

function factsOf({ event, key, attempts, httpStatus }: AttemptReport): Record<string, unknown> {
  const { id, kind, dedupKey } = event
  const secrets = key.kind === 'own' ? [key.key] : []
  return {
    id,
    event: kind,
    ...(dedupKey !== undefined && { dedup_key: maskSecrets(dedupKey, secrets) }),
    attempts,
    ...(httpStatus !== undefined && { status: httpStatus }),
  }
}
