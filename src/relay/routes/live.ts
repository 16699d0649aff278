import { describeDeployment } from '../../spool/deployment-log.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RelayDeps } from '../context.ts'
import { describeListed } from '../describe-event.ts'
import { answering, type RouteGroup } from '../describe-route.ts'
import type { Live } from '../live.ts'
import { currentHeadline, describeHeadline, NO_EVENTS } from '../overview.ts'
import { sendProblem } from '../problem.ts'

/** What changes, as it changes (server-sent events). */
export const LIVE_ROUTES: RouteGroup = {
  mount: (app, deps) => {
    let live: Promise<Live> | undefined
    app.get('/events/live', async (request, reply) => {
      live ??= startLive(deps) // few relays have viewers
      return follow(await live, request, reply)
    })
  },
  paths: {
    '/events/live': {
      get: {
        ...answering(
          'Follow changes as server-sent events: change, with what has changed as JSON, at most ten a second; reset, first and whenever everything must be read again; bye, when the relay shuts down',
          {
            description:
              'A change has headline, counts and events, and more if other things have changed; without a spool also the latest deployment',
            mediaType: 'text/event-stream',
          },
          [401, 503],
        ),
        parameters: [
          {
            name: 'Last-Event-ID',
            in: 'header',
            description: 'The last id that was received; what has changed since comes first.',
            schema: { type: 'string' },
          },
        ],
      },
    },
  },
}

function follow(live: Live, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const id = request.headers['last-event-id']
  if (live.isFull())
    return sendProblem(reply, {
      status: 503,
      detail: 'too many viewers follow this relay',
      retryAfterSeconds: 30,
    })
  void reply.hijack()
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no', // a proxy that buffers answers would delay changes
    'x-content-type-options': 'nosniff',
  })
  live.attach(reply.raw, typeof id === 'string' ? id : undefined)
  return reply
}

async function startLive(deps: RelayDeps): Promise<Live> {
  const { createLive } = await import('../live.ts')
  const { spool, config, hide = (value) => value } = deps
  const live = createLive({
    onChange: (listener) => spool?.onChange(listener),
    hasForeignChanges: spool?.watchOthers?.() ?? (() => false),
    describe: async () => ({
      headline: describeHeadline(await currentHeadline(deps)),
      counts: (await spool?.counts()) ?? NO_EVENTS,
      // A relay without a spool has no events that change.
      deployments:
        spool === undefined
          ? hide((await deps.deployments.list({ limit: 1 })).map(describeDeployment))
          : undefined,
    }),
    describeEvents: async (ids) => {
      const shown = await Promise.all(ids.map(async (id) => await spool?.show(id)))
      return hide(shown.filter((event) => event !== undefined).map((event) => describeListed(event, config)))
    },
  })
  if (deps.draining.aborted) live.end()
  else deps.draining.addEventListener('abort', () => live.end())
  return live
}
