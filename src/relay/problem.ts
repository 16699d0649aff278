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

/** RFC 9457's media type. */
export const PROBLEM_TYPE = 'application/problem+json'

/** Answers with a problem as `application/problem+json`. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, retryAfterSeconds } = problem
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', retryAfterSeconds)
  noteRefusal(reply, [problem.detail, ...(problem.errors ?? [])])
  return reply.code(status).type(PROBLEM_TYPE).send(problemJson(problem))
}

/** The body that says it, with a newline at its end for whoever reads it in a terminal. */
export function problemJson({ status, detail, errors }: Problem): string {
  return `${JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, errors })}\n`
}

const refusals = new WeakMap<FastifyReply, string>()

/** Remembers why a request is refused, for the line that the log has of it. */
export function noteRefusal(reply: FastifyReply, reasons: readonly string[]): void {
  refusals.set(reply, reasons.join('; '))
}

/** Why a request was refused; undefined if it was not, or if PagerDuty refused it. */
export function refusalOf(reply: FastifyReply): string | undefined {
  return refusals.get(reply)
}
