import type { Logger } from 'pino'
import { maskSecrets } from '../core/mask-secrets.ts'
import type { WorkerEvents, AttemptReport } from '../spool/worker/types.ts'
import type { Metrics } from './metrics.ts'

/** Logs and counts what a worker does. */
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
      log('error', 'event is dead; POST /events/retry tries it again', report, { reason, cause })
    },
    onLock: (isHeld) =>
      logger.info(isHeld ? 'this relay delivers the spool' : 'another process delivers the spool'),
    onStoreProblem: (reason) => {
      if (reason === undefined) logger.warn('the spool works again')
      else logger.error(`the spool cannot be used: ${reason}`)
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
