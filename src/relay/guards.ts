import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { RelayAccess } from '../config/read-relay-access.ts'
import { createTokenCheck } from './authorize.ts'
import { refuseForeign } from './foreign-request.ts'
import { sendProblem } from './problem.ts'

/** Routes that an orchestrator asks, which has no token. */
const OPEN = new Set(['/healthz', '/readyz'])
/** How a body may be encoded. */
const PLAIN = new Set(['identity', ''])
const METHODS = ['GET', 'HEAD', 'POST'] as const

export interface GateDeps {
  readonly access: RelayAccess
  /** Whether the relay is about to end. */
  readonly isDraining: () => boolean
}

/**
 * Lets a request in, or answers it before its body is read: another site 403 or 421, no token 401, unknown route 404,
 * other method 405, and 503 for what would be new work while the relay ends.
 */
export function mountGate(app: FastifyInstance, { access: { token, names }, isDraining }: GateDeps): void {
  const ownNames = { names, isAnyName: token !== undefined }
  const isAuthorized = token === undefined ? () => true : createTokenCheck(token)
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff')
    const foreign = refuseForeign(request.raw, ownNames)
    if (foreign !== undefined) return sendProblem(reply, foreign)
    if (!OPEN.has(request.routeOptions.url ?? '') && !isAuthorized(request.headers.authorization)) {
      void reply.header('www-authenticate', 'Bearer realm="pagerduty-alert"')
      return sendProblem(reply, {
        status: 401,
        detail: 'send the relay’s token (PAGERDUTY_RELAY_TOKEN) as Authorization: Bearer',
      })
    }
    if (request.is404) return refuseRoute(app, request, reply)
    if (request.method === 'POST' && isDraining()) {
      void reply.header('connection', 'close')
      return sendProblem(reply, { status: 503, detail: 'the relay is shutting down', retryAfterSeconds: 5 })
    }
    if (!PLAIN.has((request.headers['content-encoding'] ?? '').toLowerCase())) {
      void reply.header('accept-encoding', 'identity') // RFC 9110, section 12.5.3
      return sendProblem(reply, { status: 415, detail: 'send the body as it is, without Content-Encoding' })
    }
    return done()
  })
  // Never reached: the hook has answered. Without a handler of its own Fastify would parse the body first.
  app.setNotFoundHandler((_request, reply) => reply.code(404).send())
}

function refuseRoute(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path = '/'] = request.url.split('?')
  // A path with `*` or `:` would be taken for a pattern, which the router may refuse to compile.
  const allowed = /^[\w./-]*$/.test(path)
    ? METHODS.filter((method) => app.hasRoute({ method, url: path }))
    : []
  if (allowed.length === 0)
    return sendProblem(reply, { status: 404, detail: 'there is no such route; see /openapi.json' })
  void reply.header('allow', allowed.join(', '))
  return sendProblem(reply, { status: 405, detail: `this route takes ${allowed.join(', ')}` })
}
