import type { ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { FastifyReply } from 'fastify'
import { textAnswer, type Answer } from './answer.ts'
import type { Behaviour } from './behaviour.ts'

/** What is needed to carry out a behaviour. */
export interface Stage {
  readonly reply: FastifyReply
  /** The bytes of the request's body. */
  readonly body: Buffer
  /** Accepts the event and returns PagerDuty's answer. */
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
    case 'interim':
      return sendInterim(reply, behaviour, usual())
    case 'compressed':
      return send(reply, {
        status: behaviour.status,
        headers: { 'content-type': 'application/json', 'content-encoding': behaviour.coding },
        body: COMPRESS[behaviour.coding](behaviour.body),
      })
    case 'headers':
      return sendRaw(reply, usual(), fillers(behaviour.count, behaviour.bytes))
    case 'malformed':
      return sendRaw(reply, usual(), behaviour.lines)
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

const COMPRESS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync }

function fillers(count: number, bytes = 1): string[] {
  return Array.from({ length: count }, (_, index) => `x-filler-${index}: ${'x'.repeat(bytes)}`)
}

/** Writes interim answers directly, bypassing Node, and the usual answer after them. */
function sendInterim(
  reply: FastifyReply,
  { statuses, headers = 0, isSplit = false }: Extract<Behaviour, { kind: 'interim' }>,
  answer: Answer,
): void {
  const { socket } = reply.raw
  const lines = fillers(headers)
  const heads = statuses
    .map((status) => [`HTTP/1.1 ${status} Interim`, ...lines, '', ''].join('\r\n'))
    .join('')
  if (isSplit) for (const byte of heads) socket?.write(byte)
  else socket?.write(heads)
  send(reply, answer)
}

/** The answer with lines in its head that Node would refuse to send. */
function sendRaw(reply: FastifyReply, { status, headers, body }: Answer, lines: readonly string[]): void {
  reply.hijack()
  const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const length = `content-length: ${Buffer.byteLength(body)}`
  const head = [`HTTP/1.1 ${status} OK`, ...lines, ...own, length, 'connection: close', '', ''].join('\r\n')
  reply.raw.socket?.end(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]))
}

/** Announces the whole body, sends half of it, and calls `then` once that has been sent. */
function sendHalf(reply: FastifyReply, answer: Answer, then: () => void): void {
  reply.hijack()
  const body = Buffer.from(answer.body)
  sendHead(reply.raw, answer).write(body.subarray(0, Math.floor(body.length / 2)), then)
}

function sendHead(response: ServerResponse, { status, headers, body }: Answer): ServerResponse {
  return response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
}
