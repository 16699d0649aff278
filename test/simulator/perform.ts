import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { textAnswer, type Answer } from './answer.ts'
import type { Behaviour } from './behaviour.ts'

/** What a behaviour is carried out with. */
export interface Stage {
  readonly reply: FastifyReply
  /** The bytes of the request's body. */
  readonly body: Buffer
  /** Takes the event and gives PagerDuty's answer. */
  readonly usual: () => Answer
  /** Resets the request's connection. */
  readonly reset: () => void
}

/** Carries out a behaviour on one request, once its delay is over. */
export function perform(behaviour: Behaviour, { reply, body, usual, reset }: Stage): void {
  switch (behaviour.kind) {
    case 'usual':
      return send(reply, usual())
    case 'answer':
      return send(reply, {
        status: behaviour.status,
        headers: behaviour.headers ?? {},
        body: behaviour.body ?? '',
      })
    case 'echo':
      return send(reply, { status: behaviour.status, headers: {}, body })
    case 'flood':
      return send(reply, textAnswer(behaviour.status, 'x'.repeat(behaviour.bytes)))
    case 'close':
      // Not half: what comes after it on the connection must not count as seen.
      reply.raw.once('finish', () => reply.request.raw.socket.destroySoon())
      return send(reply, usual())
    case 'truncate':
      return sendHalf(reply, usual(), () => reply.raw.socket?.end())
    case 'hang':
      reply.hijack()
      if (behaviour.after === 'headers') sendHead(reply.raw, usual()).flushHeaders()
      return
    case 'reset':
      if (behaviour.after === 'half-answer') return sendHalf(reply, usual(), reset)
      reply.hijack()
      return reset()
  }
}

function send(reply: FastifyReply, { status, headers, body }: Answer): void {
  reply.code(status).headers(headers).send(body)
}

/** Announces the whole body, sends half of it, and does the rest when that is on its way. */
function sendHalf(reply: FastifyReply, answer: Answer, then: () => void): void {
  reply.hijack()
  const body = Buffer.from(answer.body)
  sendHead(reply.raw, answer).write(body.subarray(0, Math.floor(body.length / 2)), then)
}

function sendHead(response: ServerResponse, { status, headers, body }: Answer): ServerResponse {
  return response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
}
