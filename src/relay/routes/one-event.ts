import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { idOf, parseObject, takeJson } from '../body.ts'
import type { Call } from '../context.ts'
import { describeShown } from '../describe-event.ts'
import { answering, jsonContent, toSchema, type RouteGroup } from '../describe-route.ts'
import { sendProblem } from '../problem.ts'
import { sendJson } from '../result.ts'

/** Why an event is discarded. */
const DISCARD_SCHEMA = z.strictObject({
  reason: z.string().trim().min(1).max(200).describe('Why it need not be sent; kept in the list.'),
})

const ID = { name: 'id', in: 'path', required: true, schema: { type: 'integer' } } as const

/** One event of the spool. */
export const ONE_EVENT_ROUTES: RouteGroup = {
  mount: (app, deps) => {
    takeJson(app)
    app.get('/events/:id', (request, reply) => showEvent({ request, reply, deps }))
    app.post('/events/:id/discard', (request, reply) => discardEvent({ request, reply, deps }))
  },
  paths: {
    '/events/{id}': {
      get: {
        ...answering(
          'Show one event: its last ten attempts, its content while it is kept, and advice',
          { description: 'the event, keys masked' },
          [401, 404, 503],
        ),
        parameters: [ID],
      },
    },
    '/events/{id}/discard': {
      post: {
        ...answering(
          'Discard one dead event; the list keeps the reason',
          { description: '{"discarded": 1}' },
          [400, 401, 404, 503],
        ),
        parameters: [ID],
        requestBody: { required: true, content: jsonContent('Discard') },
      },
    },
  },
  schemas: { Discard: toSchema(DISCARD_SCHEMA) },
}

async function showEvent(call: Call): Promise<FastifyReply> {
  const { reply, deps } = call
  const id = idOf(call.request)
  const event = id === undefined ? undefined : await deps.spool?.show(id)
  if (event === undefined) return sendProblem(reply, { status: 404, detail: NOT_THERE })
  return sendJson(reply.header('cache-control', 'no-store'), 200, describeShown(event, deps.config))
}

async function discardEvent(call: Call): Promise<FastifyReply> {
  const { request, reply, deps } = call
  const { data } = DISCARD_SCHEMA.safeParse(parseObject(request.body))
  if (data === undefined)
    return sendProblem(reply, {
      status: 400,
      detail: 'the body must be {"reason": …}, of 1 to 200 characters',
    })
  const id = idOf(call.request)
  const isDone = id !== undefined && (await deps.spool?.discardOne(id, deps.config.mask(data.reason)))
  if (isDone !== true) return sendProblem(reply, { status: 404, detail: 'no dead event has that id' })
  return sendJson(reply, 200, { discarded: 1 })
}

const NOT_THERE = 'no event has that id, or it is no longer kept'
