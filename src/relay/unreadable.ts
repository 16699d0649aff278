import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { RELAY_LIMITS } from './limits.ts'
import { PROBLEM_TYPE, problemJson, type Problem } from './problem.ts'

/** What Node's HTTP parser finds wrong with what comes in, by the code of its error. */
const PROBLEM: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    detail: `the request’s line and headers have more than ${RELAY_LIMITS.headerBytes} bytes`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    detail: `the request did not come whole within ${RELAY_LIMITS.requestMs / 1000} s, its headers within ${RELAY_LIMITS.headersMs / 1000} s`,
  },
}
const NO_HTTP: Problem = { status: 400, detail: 'this is no HTTP/1.1 request' }

/**
 * Answers what cannot be read as a request, on the bare connection, which is closed. There is no request yet: nothing of
 * what came is repeated or logged.
 */
export function refuseUnreadable({ code = '' }: { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0) return void socket.destroy()
  const problem = PROBLEM[code] ?? NO_HTTP
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
