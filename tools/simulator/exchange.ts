import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { textAnswer, type Answer } from './answer.ts'
import type { Behaviour, Playbook } from './behaviour.ts'
import { parseJson } from './judge.ts'
import { perform } from './perform.ts'
import type { RecordedRequest, Recorder } from './recorder.ts'

/** One endpoint. It keeps its state in the ledger that it was created with. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** As Fastify writes paths: `/services/:id`. */
  readonly path: string
  /** @param params the values of the path's `:names` */
  readonly answer: (request: RecordedRequest, params: Readonly<Record<string, string>>) => Answer
}

interface ExchangeParts {
  readonly routes: readonly Route[]
  readonly recorder: Recorder
  readonly playbook: Playbook
  /** The TCP connections by their remote port. */
  readonly connections: ReadonlyMap<number | undefined, Socket>
  readonly log: (line: string) => void
  /** Ends all delays when the simulator closes. */
  readonly closing: AbortSignal
}

interface Arrival {
  readonly receivedAtMs: number
  readonly behaviour: Behaviour
}

/**
 * Mounts routes so that every request, to a known path or not, is recorded and answered as the playbook says.
 * The body is read as bytes, whatever its content type; a request whose body is cut off is recorded without it.
 */
export function mountRoutes(app: FastifyInstance, parts: ExchangeParts): void {
  const arrivals = new WeakMap<FastifyRequest, Arrival>()
  const notFound: Route['answer'] = ({ method, path }) => {
    parts.log(`${method} ${path}: no such endpoint`)
    return textAnswer(404, 'Not Found')
  }

  app.addHook('onRequest', async (request, reply) => {
    const [path = ''] = request.url.split('?')
    const arrival = { receivedAtMs: Date.now(), behaviour: parts.playbook.take(path) }
    if (arrival.behaviour.kind === 'reset' && arrival.behaviour.after === 'headers') {
      await meet(parts, arrival, { request, reply, answer: notFound })
    } else {
      arrivals.set(request, arrival)
    }
  })

  const handler = (answer: Route['answer']) => async (request: FastifyRequest, reply: FastifyReply) => {
    const arrival = arrivals.get(request)
    arrivals.delete(request)
    if (arrival === undefined) return reply
    const [path = ''] = request.url.split('?')
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const behaviour = parts.playbook.takeContaining(path, body) ?? arrival.behaviour
    await meet(parts, { ...arrival, behaviour }, { request, reply, answer })
    return reply
  }
  for (const { method, path, answer } of parts.routes) {
    app.route({ method, url: path, handler: handler(answer) })
  }
  app.setNotFoundHandler(handler(notFound))

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const arrival = arrivals.get(request)
    if (arrival !== undefined) parts.recorder.record(toRecord(request, arrival))
    parts.log(`${request.method} ${request.url}: ${error.message}`)
    return reply.code(error.statusCode ?? 500).send(error.message)
  })
}

interface Meeting {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly answer: Route['answer']
}

/** Records a request and carries out the behaviour that was chosen for it. */
async function meet(
  parts: ExchangeParts,
  arrival: Arrival,
  { request, reply, answer }: Meeting,
): Promise<void> {
  const { recorder, connections, log, closing } = parts
  const { behaviour } = arrival
  const recorded = toRecord(request, arrival)
  recorder.record(recorded)
  if (behaviour.kind !== 'usual') log(`${request.method} ${request.url} meets ${JSON.stringify(behaviour)}`)
  if (behaviour.delayMs !== undefined) {
    await delay(behaviour.delayMs, undefined, { signal: closing }).catch(() => {}) // closing.aborted tells
  }
  if (closing.aborted) {
    reply.hijack() // the connection is about to end; a late answer would look like one that was meant
    return
  }
  perform(behaviour, {
    reply,
    body: recorded.body,
    usual: () => answer(recorded, request.params as Record<string, string>),
    reset: () => connections.get(recorded.remotePort)?.resetAndDestroy(),
  })
}

function toRecord(request: FastifyRequest, { receivedAtMs, behaviour }: Arrival): RecordedRequest {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  return {
    method: request.method,
    path: request.url,
    headers: request.headers,
    body,
    json: parseJson(body),
    receivedAtMs,
    remotePort: request.raw.socket.remotePort,
    behaviour,
  }
}
