import type { FastifyInstance } from 'fastify'
import type { RelayDeps } from '../context.ts'
import { openApi } from '../openapi.ts'
import { homepage, version } from '../../version.ts'
import { sendProblem } from '../problem.ts'
import { sendJson } from '../result.ts'

/** What somebody sees who opens the relay's address. */
const ABOUT = {
  service: 'pagerduty-alert relay',
  version,
  api: '/openapi.json',
  readiness: '/readyz',
  documentation: homepage,
}

/** What is asked of the relay by what runs and watches it. */
export function statusRoutes(app: FastifyInstance, { metrics, checkReady }: RelayDeps): void {
  app.get('/', (_request, reply) => sendJson(reply, 200, ABOUT))
  app.get('/healthz', (_request, reply) => sendJson(reply, 200, { status: 'alive' }))
  app.get('/readyz', (_request, reply) => {
    const reason = checkReady()
    return reason === undefined
      ? sendJson(reply, 200, { status: 'ready' })
      : sendProblem(reply, { status: 503, detail: reason })
  })
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.expose()))
  app.get('/openapi.json', (_request, reply) => sendJson(reply, 200, openApi()))
  app.get('/pagerduty.sh', async (_request, reply) => {
    const { default: script } = await import('../../../pagerduty.sh') // a chunk of its own: few relays are asked for it
    return reply.type('text/x-shellscript; charset=utf-8').send(script)
  })
}
