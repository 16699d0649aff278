import { homepage, version } from '../../version.ts'
import { answering, type RouteGroup } from '../describe-route.ts'
import { sendProblem } from '../problem.ts'
import { wantsPage } from '../guards.ts'
import { sendJson } from '../result.ts'
import { acceptsInto } from './overview.ts'
import { showPage } from './page.ts'

/** What a browser shows at the relay's address. */
const ABOUT = {
  service: 'pagerduty-alert relay',
  version,
  api: '/openapi.json',
  readiness: '/readyz',
  documentation: homepage,
}

/** For those who run the relay and watch it: what it is, whether it works, its metrics, its shell client. */
export const STATUS_ROUTES: RouteGroup = {
  mount: (app, deps) => {
    const { metrics, checkReady, isPageOn } = deps
    app.get('/', (request, reply) =>
      isPageOn && wantsPage(request)
        ? showPage({ request, reply, deps })
        : sendJson(reply.header('vary', 'accept'), 200, ABOUT),
    )
    app.get('/healthz', (_request, reply) => sendJson(reply, 200, { status: 'alive' }))
    app.get('/readyz', (_request, reply) => {
      const reason = checkReady()
      return reason === undefined
        ? sendJson(reply, 200, { status: 'ready', accepts_into: acceptsInto(deps) })
        : sendProblem(reply, { status: 503, detail: reason })
    })
    app.get('/metrics', async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.expose()),
    )
    app.get('/pagerduty.sh', async (_request, reply) => {
      const { default: script } = await import('../../../pagerduty.sh') // a chunk of its own: few relays serve it
      return reply.type('text/x-shellscript; charset=utf-8').send(script)
    })
  },
  paths: {
    '/': {
      get: answering(
        'Name the service, and where its API is described; a browser gets the web page',
        { description: 'name and addresses' },
        [401],
      ),
    },
    '/healthz': { get: answering('Whether the process is alive', { description: 'alive' }) },
    '/readyz': {
      get: answering(
        'Whether events are accepted; does not depend on PagerDuty',
        { description: 'ready; in a fleet, accepts_into is spool while its database is away' },
        [503],
      ),
    },
    '/metrics': {
      get: answering('Metrics for Prometheus', { description: 'Exposition text', mediaType: 'text/plain' }),
    },
    '/pagerduty.sh': {
      get: answering(
        'The client for images that have only sh and curl or wget',
        { description: 'POSIX shell', mediaType: 'text/x-shellscript' },
        [401],
      ),
    },
  },
}
