import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'

/** What went wrong, as RFC 9457 has it; `title` is the status in words. */
export interface Problem {
  readonly status: number
  /** One sentence for a person, without any value that was sent. */
  readonly detail: string
  /** What is wrong with the request, one sentence a mistake. */
  readonly errors?: readonly string[] | undefined
  /** Seconds after which another try makes sense. */
  readonly retryAfterSeconds?: number | undefined
}

/** Answers with a problem as `application/problem+json`. */
export function sendProblem(
  reply: FastifyReply,
  { status, detail, errors, retryAfterSeconds }: Problem,
): FastifyReply {
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', retryAfterSeconds)
  return reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, errors }))
}
