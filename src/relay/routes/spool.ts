import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { DeadFilter, EventStatus } from '../../spool/spool.ts'
import { deadFilterOf, describeEntry } from '../../spool/describe-entry.ts'
import { createKeyFinder } from '../../spool/key-names.ts'
import type { Call } from '../context.ts'
import { answering, jsonContent, toSchema, type RouteGroup } from '../describe-route.ts'
import { RELAY_LIMITS } from '../limits.ts'
import { parseObject, takeJson } from '../body.ts'
import { sendProblem } from '../problem.ts'
import { sendJson } from '../result.ts'

const STATUSES = ['pending', 'delivered', 'dead'] as const satisfies readonly EventStatus[]
const NOTHING = { pending: 0, delivered: 0, dead: 0 } as const

/** Selects dead events: one, those of a key (in full or as the list masks it), or all. */
const DEAD_SCHEMA = z.strictObject({
  id: z.int().positive().optional().describe('One event, by its id in the list.'),
  key: z.string().min(1).optional().describe('The events of a key, given in full or as the list masks it.'),
})

/** Lists the events in the spool, and retries or discards dead ones. Without a spool there are none. */
export const SPOOL_ROUTES: RouteGroup = {
  mount: (app, deps) => {
    takeJson(app)
    app.get('/events', (request, reply) => listEvents({ request, reply, deps }))
    app.post('/events/retry', (request, reply) => retryEvents({ request, reply, deps }))
    app.post('/events/discard', (request, reply) => discardEvents({ request, reply, deps }))
  },
  paths: {
    '/events': {
      get: {
        ...answering('What is in the spool, keys masked', { description: 'events and counts' }, [400, 401]),
        parameters: [
          queryParameter('status', 'Only these', { type: 'string', enum: STATUSES }),
          queryParameter('after', 'The last id of the previous page', { type: 'integer' }),
        ],
      },
    },
    '/events/retry': {
      post: changingDead(
        'Make dead events pending again',
        '{"retried": N}; also "left_out", a number, and "note" if sending some now would undo a later event of their alert',
      ),
    },
    '/events/discard': { post: changingDead('Remove dead events for good', '{"discarded": N}') },
  },
  schemas: { DeadEvents: toSchema(DEAD_SCHEMA) },
}

function queryParameter(name: string, description: string, schema: object): object {
  return { name, in: 'query', description, schema }
}

function changingDead(summary: string, description: string): object {
  return {
    ...answering(summary, { description }, [400, 401, 503]),
    requestBody: { required: false, content: jsonContent('DeadEvents') },
  }
}

function listEvents({ request, reply, deps: { spool, config } }: Call): FastifyReply {
  const { status, after } = request.query as Record<string, unknown>
  const chosen = STATUSES.filter((each) => status === undefined || each === status)
  const afterId = after === undefined ? 0 : Number(after)
  if (chosen.length === 0 || !Number.isSafeInteger(afterId)) {
    const detail = `status must be one of ${STATUSES.join(', ')}, and after must be the last id of the previous page`
    return sendProblem(reply, { status: 400, detail })
  }
  const secretOf = createKeyFinder(config.delivery.keys)
  const entries = chosen.flatMap((each) => spool?.list(each, RELAY_LIMITS.listed, afterId) ?? [])
  const setAside = spool?.setAside() ?? []
  return sendJson(reply, 200, {
    events: entries.map((entry) => describeEntry(entry, secretOf(entry.key))),
    counts: spool?.counts() ?? NOTHING,
    ...(setAside.length > 0 && { set_aside: setAside }),
  })
}

async function retryEvents(call: Call): Promise<FastifyReply> {
  const filter = readFilter(call)
  if (filter === undefined) return refuseFilter(call)
  const { reply, deps } = call
  const { retried, leftOut } = (await deps.spool?.retry(filter)) ?? { retried: 0, leftOut: 0 }
  if (leftOut === 0) return sendJson(reply, 200, { retried })
  return sendJson(reply, 200, { retried, left_out: leftOut, note: LEFT_OUT })
}

const LEFT_OUT =
  'a later event of the same alert was delivered or is pending, so sending these now would undo it; a retry by id sends one anyway'

async function discardEvents(call: Call): Promise<FastifyReply> {
  const filter = readFilter(call)
  if (filter === undefined) return refuseFilter(call)
  const { reply, deps } = call
  return sendJson(reply, 200, { discarded: (await deps.spool?.discard(filter)) ?? 0 })
}

/** The filter in a body; undefined if it is not valid. */
function readFilter({ request: { body }, deps }: Call): DeadFilter | undefined {
  const isEmpty = body === undefined || body === null || body === ''
  const { data } = DEAD_SCHEMA.safeParse(isEmpty ? {} : parseObject(body))
  if (data === undefined || (data.id !== undefined && data.key !== undefined)) return undefined
  return deadFilterOf(data, createKeyFinder(deps.config.delivery.keys))
}

function refuseFilter({ reply }: Call): FastifyReply {
  return sendProblem(reply, { status: 400, detail: 'the body must be {"id"}, {"key"} or {} for all' })
}
