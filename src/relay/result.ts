import type { FastifyReply } from 'fastify'
import type { Event } from '../core/event.ts'
import { meaningOf, type Answer } from '../core/outcome.ts'
import { parseRetryAfter } from '../core/retry-after.ts'
import { noteRefusal, sendProblem } from './problem.ts'

/** The result of one event for one key, as it is reported to the caller. */
export type EventResult = Result & {
  /** Where it is kept; only with a fleet. */
  readonly acceptedBy?: 'fleet' | 'spool'
}

type Result =
  /** PagerDuty answered, in whatever way; the body contains no secret. */
  | { readonly kind: 'answered'; readonly event: Event; readonly answer: Answer }
  /** It is safe on disk and will be delivered later. */
  | { readonly kind: 'queued'; readonly event: Event }
  /** It was delivered while the caller waited. */
  | { readonly kind: 'delivered'; readonly event: Event; readonly status: number }
  /** It was refused while the caller waited, and is kept as dead. */
  | { readonly kind: 'dead'; readonly event: Event; readonly status: number; readonly reason: string }
  /** PagerDuty could not be reached (502) or was too slow (504). */
  | {
      readonly kind: 'undelivered'
      readonly event: Event
      readonly status: 502 | 504
      readonly reason: string
    }
  /** There is no room, the disk does not work, or the key's rate limit is exhausted. */
  | {
      readonly kind: 'turned-away'
      readonly event: Event
      readonly status: 429 | 503
      readonly reason: string
      readonly retryAfterSeconds: number
    }

/** The status that a result is answered with. */
export function statusOf(result: EventResult): number {
  if (result.kind === 'answered') return result.answer.status
  return result.kind === 'queued' ? 202 : result.status
}

/**
 * The result that decides the answer to a caller with several events: a refusal comes before a failure, since retrying
 * does not help against it; if all went well, the alert's result, since its answer has the dedup key.
 */
export function decisiveResult(results: readonly [EventResult, ...EventResult[]]): EventResult {
  const rank = (result: EventResult): number => {
    const { kind } = meaningOf(statusOf(result))
    if (kind !== 'accepted') return kind === 'refused' ? 0 : 1
    return result.event.kind === 'alert' ? 2 : 3
  }
  return results.reduce((worst, result) => (rank(result) < rank(worst) ? result : worst))
}

/** Answers a caller in PagerDuty's own form, or with a problem if PagerDuty did not answer. */
export function sendResult(reply: FastifyReply, result: EventResult): FastifyReply {
  switch (result.kind) {
    case 'answered':
      return sendAnswer(reply, result.answer)
    case 'queued':
      return sendJson(reply, 202, successBody(result.event))
    case 'delivered':
      return sendJson(reply, result.status, successBody(result.event))
    case 'dead':
      return sendInvalid(reply, {
        status: result.status,
        message: 'PagerDuty refused the event',
        errors: [result.reason],
      })
    case 'undelivered':
    case 'turned-away': {
      const retryAfterSeconds = result.kind === 'turned-away' ? result.retryAfterSeconds : undefined
      return sendProblem(reply, { status: result.status, detail: result.reason, retryAfterSeconds })
    }
  }
}

/**
 * Passes on PagerDuty's answer without its headers, which concern a connection that is not the caller's, except for a wait
 * that is not absurd. An acceptance ends with a newline, like the relay's own answers.
 */
function sendAnswer(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  const afterMs = parseRetryAfter(headers['retry-after'], Date.now())
  if (afterMs !== undefined) void reply.header('retry-after', Math.ceil(afterMs / 1000))
  const end = meaningOf(status).kind === 'accepted' && !body.endsWith('\n') ? '\n' : ''
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(headers['content-type'] ?? '')
  return reply
    .code(status)
    .type(isJson ? 'application/json' : 'text/plain; charset=utf-8')
    .send(body + end)
}

/** PagerDuty's answer to a good event (its OpenAPI; for change events, the tests of its Go client). */
export function successBody({ kind, body }: Event): object {
  return kind === 'change'
    ? { status: 'success', message: 'Change event processed' }
    : { status: 'success', message: 'Event processed', dedup_key: body.dedup_key }
}

/** Refuses an event in PagerDuty's own form. */
export function sendInvalid(
  reply: FastifyReply,
  refusal: { readonly status: number; readonly message: string; readonly errors: readonly string[] },
): FastifyReply {
  const { status, message, errors } = refusal
  noteRefusal(reply, errors)
  return sendJson(reply, status, { status: 'invalid event', message, errors })
}

/** Answers with JSON, with a newline at the end so that it reads well in a terminal. */
export function sendJson(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply
    .code(status)
    .type('application/json')
    .send(`${JSON.stringify(body)}\n`)
}
