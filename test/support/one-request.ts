import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { Agent } from 'undici'
import { requestOnce, type Bounds, type RequestEnd, type HttpRequest } from '../../src/delivery/exchange.ts'
import { listen } from './listen.ts'

/** How an answer begins that accepts. */
export const HEAD = 'HTTP/1.1 202 Accepted\r\n'
const NEVER = new AbortController().signal
const BOUNDS: Bounds = { timeoutMs: 20_000, signal: NEVER }

/** A server on a bare socket. */
export interface Server {
  readonly url: string
  /** Resolves with the first connection's bytes when it is closed. */
  readonly closed: Promise<string>
}

/** A server that handles each request as instructed. */
export async function serve(t: TestContext, onRequest: (socket: Socket) => unknown): Promise<Server> {
  const closed = Promise.withResolvers<string>()
  const server = createServer((socket) => {
    let received = ''
    socket.on('error', () => undefined)
    socket.on('close', () => closed.resolve(received))
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      if (received.endsWith('{}')) onRequest(socket)
    })
  })
  const { port, close } = await listen(server)
  t.after(close)
  return { url: `http://127.0.0.1:${port}/v2/enqueue?a=b`, closed: closed.promise }
}

/** A request to such a server, and its limits. */
export interface Given {
  readonly url: string
  readonly request?: Partial<HttpRequest>
  readonly bounds?: Partial<Bounds>
  readonly agent?: Agent
}

/** Makes the request. */
export function post(
  t: TestContext,
  { url, request, bounds, agent = new Agent() }: Given,
): Promise<RequestEnd> {
  t.after(() => agent.destroy())
  const whole = {
    method: 'POST',
    url,
    headers: { accept: 'text/plain' },
    body: Buffer.from('{}'),
    ...request,
  } as const
  return requestOnce(agent, whole, { ...BOUNDS, ...bounds })
}

/** The body of an answer, if there was an answer. */
export async function bodyOf(
  ending: Promise<RequestEnd>,
): Promise<[status: number, body: string, isCutOff: boolean | undefined]> {
  const ended = await ending
  assert.ok(ended.kind === 'answered', `not answered but ${ended.kind}`)
  const { status, body, isCutOff } = ended.answer
  return [status, body, isCutOff]
}
