import type { FastifyReply } from 'fastify'
import type { Event } from '../core/event.ts'
import type { SpoolKey } from '../spool/spool.ts'
import type { Call } from './context.ts'
import { RELAY_LIMITS } from './limits.ts'
import { sendProblem } from './problem.ts'
import { sendJson } from './result.ts'
import { requestedKey, routeEvent } from './routing.ts'

/** A deployment that a caller says has begun. */
export interface ReportedStart {
  /** As `buildStarted` makes it. */
  readonly event: Event
  /** The routing key in the caller's event. */
  readonly givenKey?: string | undefined
  readonly withinMs?: number | undefined
  readonly elapsedMs?: number | undefined
}

/** Remembers that a deployment has begun, and answers by when it has to end. */
export async function acceptStart(
  start: ReportedStart,
  { request, reply, deps }: Call,
): Promise<FastifyReply> {
  const { config, deadlines, logger, now } = deps
  const { event, elapsedMs } = start
  const withinMs = start.withinMs ?? config.withinMs
  const given = requestedKey(start.givenKey, request.headers['x-routing-key'])
  const keys = routed(event, given, deps)
  if (typeof keys === 'string')
    return sendProblem(reply, { status: given === undefined ? 500 : 400, detail: keys })
  const begun = await deadlines.begin({
    event,
    keys,
    ...(withinMs !== undefined && { withinMs }),
    ...(elapsedMs !== undefined && { elapsedMs }),
  })
  if (begun.kind === 'full' || begun.kind === 'unavailable')
    return sendProblem(reply, {
      status: 503,
      detail:
        begun.kind === 'full'
          ? `the relay is already watching ${begun.limit} deployments`
          : `the spool accepts nothing: ${begun.reason}`,
      retryAfterSeconds: RELAY_LIMITS.spoolRetrySeconds,
    })
  const { dedup_key: dedupKey } = event.body
  const dueInMs = begun.kind === 'running' ? begun.dueInMs : undefined
  const dueAt = dueInMs === undefined ? undefined : new Date(now() + dueInMs).toISOString()
  const isSignOfLife = begun.kind === 'running' && begun.isKnown === true
  logger[isSignOfLife ? 'debug' : 'info'](
    { request_id: request.id, dedup_key: dedupKey, due_at: dueAt },
    begun.kind === 'ended' ? 'deployment ended before its start was reported' : 'deployment has begun',
  )
  return sendJson(reply, 202, {
    status: 'success',
    message: MESSAGES[begun.kind === 'ended' ? 'ended' : dueAt !== undefined ? 'watched' : 'recorded'],
    dedup_key: dedupKey,
    due_at: dueAt,
    ended: begun.kind === 'ended' ? true : undefined,
    kept: deps.spool === undefined ? 'in memory' : 'on disk',
  })
}

const MESSAGES = {
  watched: 'The failure alert is triggered if no outcome follows in time',
  recorded: 'The deployment is recorded, and nothing watches the clock for it',
  ended: 'The deployment has already ended',
} as const

/** The keys to send the alert with, if it comes to that; or why there is none. */
function routed(
  event: Event,
  given: string | undefined,
  { config }: Call['deps'],
): readonly SpoolKey[] | string {
  const routing = routeEvent(event.kind, given, config.ownKeys)
  return 'problem' in routing ? routing.problem : routing.keys
}
