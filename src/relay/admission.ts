import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isProbe } from './guards.ts'
import { RELAY_LIMITS } from './limits.ts'
import { sendProblem } from './problem.ts'
import type { RoomForCallers } from './room-for-callers.ts'

/** Limits the requests in progress and the bytes of their bodies; a request above either limit is answered 503. */
export function mountAdmission(app: FastifyInstance, { requests }: RoomForCallers): void {
  limitRequests(app, requests)
  limitBytes(app)
}

/** Probes are never refused: an orchestrator that gets no answer would restart a relay that is merely busy. */
function limitRequests(app: FastifyInstance, limit: number): void {
  let inProgress = 0
  app.addHook('onRequest', (request, reply, done) => {
    if (isProbe(request)) return done()
    if (inProgress >= limit) return refuse(reply, MANY_REQUESTS)
    inProgress += 1
    reply.raw.once('close', () => (inProgress -= 1))
    return done()
  })
}

/**
 * Without this limit, the relay's memory would grow with the number of callers. Only bytes that have arrived count, so
 * callers that announce much and send little shut nobody out.
 */
function limitBytes(app: FastifyInstance): void {
  let heldBytes = 0
  /** @returns a function that reserves bytes until the response is closed; false if there was no room for them */
  const createReservation = (reply: FastifyReply): ((bytes: number) => boolean) => {
    let ownBytes = 0
    let isOver = false
    reply.raw.once('close', () => {
      isOver = true
      heldBytes -= ownBytes
    })
    return (bytes) => {
      if (isOver) return true // nothing would release them
      if (heldBytes + bytes > RELAY_LIMITS.heldBytes) return false
      ownBytes += bytes
      heldBytes += bytes
      return true
    }
  }
  app.addHook('preParsing', (request, reply, payload, done) => {
    const announced = announcedBytes(request)
    if (announced === 0) return done(null, payload)
    // Do not read a body that would be refused in the end.
    if (heldBytes + announced > RELAY_LIMITS.heldBytes) return void refuse(reply, MANY_BYTES)
    const reserve = createReservation(reply)
    reserve(Math.min(announced, RELAY_LIMITS.smallBodyBytes))
    if (announced > RELAY_LIMITS.smallBodyBytes) countBody(request, reply, reserve)
    return done(null, payload)
  })
}

/** Counts a body while it arrives, and refuses its request as soon as there is no room for more of it. */
function countBody({ raw }: FastifyRequest, reply: FastifyReply, reserve: (bytes: number) => boolean): void {
  let receivedBytes = 0
  raw.on('data', (chunk: Buffer) => {
    const reservedBytes = Math.max(RELAY_LIMITS.smallBodyBytes, receivedBytes)
    receivedBytes += chunk.length
    const moreBytes = Math.min(receivedBytes, RELAY_LIMITS.bodyBytes) - reservedBytes
    if (moreBytes <= 0 || reply.sent || reserve(moreBytes)) return
    raw.pause() // the rest of the body is not read
    refuse(reply, MANY_BYTES)
  })
}

/** Answers 503 and closes the connection, so that neither it nor the rest of a body is kept. */
function refuse(reply: FastifyReply, detail: string): FastifyReply {
  void reply.header('connection', 'close')
  return sendProblem(reply, { status: 503, detail, retryAfterSeconds: 1 })
}

const MANY_REQUESTS = 'the relay is busy: too many requests are in progress'
const MANY_BYTES = 'the relay is busy: too many bytes of requests are in progress'

/** The announced length of a body; the maximum if it is sent in chunks. */
function announcedBytes({ headers }: FastifyRequest): number {
  if (headers['transfer-encoding'] !== undefined) return RELAY_LIMITS.bodyBytes
  return Math.min(Number(headers['content-length'] ?? 0), RELAY_LIMITS.bodyBytes)
}
