import type { FastifyReply } from 'fastify'
import { maskSecrets } from '../core/mask-secrets.ts'
import { classifyAnswer, meaningOf } from '../core/outcome.ts'
import type { SpoolItem } from '../spool/spool.ts'
import type { Call } from './context.ts'
import { RELAY_LIMITS } from './limits.ts'
import { decisiveResult, sendResult, statusOf, type EventResult } from './result.ts'

/**
 * Hands the events of one request to the intake, logs the result of each, and answers.
 * @param notes what was corrected in them
 */
export async function acceptEvents(
  items: readonly SpoolItem[],
  call: Call,
  notes: readonly string[] = [],
): Promise<FastifyReply> {
  const { request, reply, deps } = call
  const waitMs = preferredWaitMs(request.headers.prefer)
  const results = await deps.intake.take(
    items,
    waitMs > 0 ? { timeoutMs: waitMs, signal: callerGone(reply) } : undefined,
  )
  const log = createEventLog(call, items)
  if (notes.length > 0) log('info', 'event corrected', () => ({ notes: notes.join('; ') }))
  for (const result of results) logResult(log, result)
  const [first, ...rest] = results
  if (first === undefined) throw new Error('a request without events was accepted')
  const isSettled = results.every(({ kind }) => kind !== 'queued')
  if (waitMs > 0 && isSettled) void reply.header('preference-applied', `wait=${waitMs / 1000}`)
  const places = results.flatMap(({ acceptedBy }) => acceptedBy ?? [])
  if (places.length > 0) void reply.header('x-accepted-by', places.includes('spool') ? 'spool' : 'fleet')
  return sendResult(reply, decisiveResult([first, ...rest]))
}

/** Aborts when the caller closes its connection. Fastify's `request.signal` already aborts once the body has been read. */
function callerGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return gone.signal
}

/** `Prefer: wait=10` (RFC 7240) in milliseconds; 0 if absent. */
function preferredWaitMs(header: string | string[] | undefined): number {
  if (header === undefined) return 0
  const seconds = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})/i.exec(String(header))?.[1]
  return Math.min(Number(seconds ?? 0), RELAY_LIMITS.waitSeconds) * 1000
}

type Facts = Readonly<Record<string, string | number | undefined>>
type EventLog = (level: 'info' | 'warn', message: string, facts: () => Facts) => void

/** A log that masks the caller's own keys, which may be anywhere in its event. Facts are computed only if they are logged. */
function createEventLog({ request, deps: { logger } }: Call, items: readonly SpoolItem[]): EventLog {
  return (level, message, facts) => {
    if (!logger.isLevelEnabled(level)) return
    const secrets = items.flatMap(({ key }) => (key.kind === 'own' ? [key.key] : []))
    const masked = Object.entries(facts()).map(([name, value]) => [
      name,
      typeof value === 'string' && secrets.length > 0 ? maskSecrets(value, secrets) : value,
    ])
    logger[level]({ request_id: request.id, ...Object.fromEntries(masked) }, message)
  }
}

/** One line for each event, with only those of its fields that identify it. */
function logResult(log: EventLog, result: EventResult): void {
  const { kind, body } = result.event
  const status = statusOf(result)
  log(meaningOf(status).kind === 'accepted' ? 'info' : 'warn', `event ${result.kind}`, () => ({
    event: kind,
    action: body.event_action,
    dedup_key: body.dedup_key,
    status,
    reason: reasonOf(result),
  }))
}

/** Why an event was not accepted, in PagerDuty's words if it answered. */
function reasonOf(result: EventResult): string | undefined {
  if ('reason' in result) return result.reason
  if (result.kind !== 'answered') return undefined
  const outcome = classifyAnswer(result.answer, 0, [])
  return 'reason' in outcome ? outcome.reason : undefined
}
