import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Failure } from '../core/failure.ts'
import { mountAdmission } from './admission.ts'
import { limitConnections } from './connections.ts'
import { mountGuards } from './guards.ts'
import { RELAY_LIMITS } from './limits.ts'
import { bodyErrorDetail } from './body.ts'
import { ROUTES } from './openapi.ts'
import { refusalOf, refuseUnreadable, rememberRequests, sendProblem } from './problem.ts'
import { roomForCallers, type RoomForCallers } from './room-for-callers.ts'
import type { Call, RelayDeps } from './context.ts'

/** Builds the relay's HTTP server; it does not listen yet. */
export function buildApp(deps: RelayDeps): FastifyInstance {
  const room = roomForCallers()
  const app = createServer(room)
  app.removeAllContentTypeParsers()
  mountGuards(app, deps)
  mountAdmission(app, room)
  const { hide } = deps
  if (hide !== undefined)
    app.addHook('onSend', (_request, _reply, payload, done) =>
      done(null, typeof payload === 'string' ? hide(payload) : payload),
    )
  app.addHook('onResponse', (request, reply, done) => {
    recordAnswer(request, reply, deps)
    done()
  })
  app.setErrorHandler((error, request, reply) => answerError(error, { request, reply, deps }))
  for (const { mount } of ROUTES) void app.register(async (scope) => mount(scope, deps))
  return app
}

const noSchemas = (): never => {
  throw new Error('no route has a schema for Fastify: zod checks what comes in')
}
/** Otherwise Fastify loads its compilers of JSON schemas, which are not bundled (`build/server-parts.ts`). */
const WITHOUT_SCHEMAS = { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } }

function createServer({ connections }: RoomForCallers): FastifyInstance {
  const run = randomUUID().slice(0, 8)
  let requests = 0
  const app = fastify({
    requestIdHeader: false, // a caller's own id could hold anything
    genReqId: () => `${run}-${++requests}`,
    // Clients join a base URL and a path in every way: no page is lost for a slash.
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    schemaController: WITHOUT_SCHEMAS,
    bodyLimit: RELAY_LIMITS.bodyBytes,
    requestTimeout: RELAY_LIMITS.requestMs,
    keepAliveTimeout: RELAY_LIMITS.keepAliveMs,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (_error, _request, reply) => {
      void sendProblem(reply, { status: 400, detail: BAD_PATH })
    },
    http: {
      headersTimeout: RELAY_LIMITS.headersMs,
      connectionsCheckingInterval: RELAY_LIMITS.checkMs,
      maxHeaderSize: RELAY_LIMITS.headerBytes,
    },
  })
  limitConnections(app.server, connections)
  answerHalfClosed(app.server)
  rememberRequests(app.server)
  return app
}

/**
 * Has callers answered that close their side of a connection after the request, as `printf … | nc` does. Node would close
 * the connection at once, and the caller would not know that its event was accepted.
 */
function answerHalfClosed(server: Server): void {
  Object.assign(server, { httpAllowHalfOpen: true }) // read by Node's HTTP server, though not documented
}

/**
 * Counts an answer and logs it, with the reason if it is a refusal. It is logged under the path of its route, since the
 * caller's path may contain anything. Accepted events have been logged already.
 */
function recordAnswer(request: FastifyRequest, reply: FastifyReply, { metrics, logger }: RelayDeps): void {
  const { id, method, is404, routeOptions } = request
  const { statusCode: status } = reply
  const route = routeOptions.url ?? 'unknown'
  metrics.answered(route, is404 ? 'unknown' : method, status)
  const level = status >= 500 ? 'warn' : status >= 400 ? 'info' : 'debug'
  if (!logger.isLevelEnabled(level)) return
  const facts = { request_id: id, ms: Math.round(reply.elapsedTime), reason: refusalOf(reply) }
  logger[level](facts, `${method} ${route} ${status}`)
}

const BAD_PATH = 'the path cannot be decoded; see /openapi.json for the routes'

/** Fastify's errors for requests that it cannot read, in words. Any other error is a bug, and its text is not sent. */
const DETAIL: Readonly<Record<number, string>> = {
  400: 'the request cannot be read',
  413: `the body has more than ${RELAY_LIMITS.bodyBytes} bytes`,
  415: 'this route does not accept that content type; send JSON, with Content-Type: application/json',
}

function answerError(error: unknown, { request, reply, deps }: Call): FastifyReply {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  if (status >= 400 && status <= 499)
    return sendProblem(reply, {
      status,
      detail: bodyErrorDetail(error) ?? DETAIL[status] ?? 'the request cannot be accepted',
    })
  if (error instanceof Failure)
    return sendProblem(reply, {
      status: 503,
      detail: error.message,
      retryAfterSeconds: RELAY_LIMITS.spoolRetrySeconds,
    })
  // Without its message, which may quote what was sent.
  const { name, stack = '' } = error instanceof Error ? error : new Error('unknown')
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  deps.logger.error({ request_id: request.id, error: name, stack: frames }, 'this is a bug, please report it')
  return sendProblem(reply, { status: 500, detail: 'this is a bug in the relay; see its log' })
}
