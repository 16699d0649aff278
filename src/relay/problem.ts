import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'
import { RELAY_LIMITS } from './limits.ts'

/** A problem as RFC 9457 defines it; `title` is the status in words. */
export interface Problem {
  readonly status: number
  /** One sentence for a person, which repeats no value that was sent. */
  readonly detail: string
  /** What is wrong with the request, one sentence for each mistake. */
  readonly errors?: readonly string[] | undefined
  /** `Retry-After`, in seconds. */
  readonly retryAfterSeconds?: number | undefined
}

/** RFC 9457's media type. */
const PROBLEM_TYPE = 'application/problem+json'

/** Answers with a problem as `application/problem+json`. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, retryAfterSeconds } = problem
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', retryAfterSeconds)
  noteRefusal(reply, [problem.detail, ...(problem.errors ?? [])])
  return reply.code(status).type(PROBLEM_TYPE).send(problemJson(problem))
}

/** The body, with a newline at the end so that it reads well in a terminal. */
function problemJson({ status, detail, errors }: Problem): string {
  return `${JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, errors })}\n`
}

const refusals = new WeakMap<FastifyReply, string>()

/** Remembers why a request was refused, for its line in the log. */
export function noteRefusal(reply: FastifyReply, reasons: readonly string[]): void {
  refusals.set(reply, reasons.join('; '))
}

/** Why a request was refused; undefined if it was not, or if PagerDuty refused it. */
export function refusalOf(reply: FastifyReply): string | undefined {
  return refusals.get(reply)
}

/** Errors of Node's HTTP parser, by their code. */
const UNREADABLE: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    detail: `the request’s line and headers have more than ${RELAY_LIMITS.headerBytes} bytes`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    detail: `the request did not arrive within ${RELAY_LIMITS.requestMs / 1000} s, its headers within ${RELAY_LIMITS.headersMs / 1000} s`,
  },
}
/** The latest request of each connection, and its response. */
const latest = new WeakMap<Socket, { readonly request: IncomingMessage; readonly response: ServerResponse }>()

/** Remembers requests, for `refuseUnreadable`. */
export function rememberRequests(server: Server): void {
  server.on('request', (request, response) => latest.set(request.socket, { request, response }))
}

const NO_HTTP: Problem = { status: 400, detail: 'not an HTTP/1.1 request' }

/**
 * Answers bytes that cannot be read as a request, on the socket itself, and closes it. Nothing of what was received is
 * repeated or logged.
 */
export function refuseUnreadable({ code = '' }: { readonly code?: string }, socket: Socket): void {
  const { request, response } = latest.get(socket) ?? {}
  // What cannot be read came after a request that is being answered: this would be taken for its answer.
  if (request?.complete === true && response?.writableFinished === false)
    return void response.once('close', () => socket.destroy())
  if (!socket.writable || socket.bytesWritten > 0) return void socket.destroy()
  const problem = UNREADABLE[code] ?? NO_HTTP
  const body = problemJson(problem)
  const headers = {
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`
  socket.end([status, ...lines, '', body].join('\r\n'))
}
