import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RELAY_LIMITS } from './limits.ts'
import { sendProblem } from './problem.ts'

/**
 * Turns requests away before their bodies are read while those under way hold as many bytes as they may together: else
 * the memory that callers can make the relay use would grow with their number.
 */
export function mountAdmission(app: FastifyInstance): void {
  let heldBytes = 0
  app.addHook('onRequest', (request, reply, done) => {
    const bytes = announcedBytes(request)
    if (bytes > 0 && heldBytes + bytes > RELAY_LIMITS.heldBytes)
      return sendProblem(reply, { status: 503, detail: BUSY, retryAfterSeconds: 1 })
    if (bytes === 0) return done()
    heldBytes += bytes
    reply.raw.once('close', () => (heldBytes -= bytes))
    return done()
  })
}

const BUSY = 'too many bytes are on their way through this relay already'

/** What a body may turn out to have: as much as any may where it comes in chunks. */
function announcedBytes({ headers }: FastifyRequest): number {
  if (headers['transfer-encoding'] !== undefined) return RELAY_LIMITS.bodyBytes
  return Math.min(Number(headers['content-length'] ?? 0), RELAY_LIMITS.bodyBytes)
}
