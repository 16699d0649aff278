import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodType } from 'zod'
import { ALERT_SCHEMA, CHANGE_SCHEMA } from '../../core/event-schema.ts'
import { ENDPOINT, type Event } from '../../core/event.ts'
import { cleanObject } from '../../core/json.ts'
import { maskParsed } from '../../core/mask-event.ts'
import { readEvent } from '../../core/normalize-event.ts'
import type { Call, RelayDeps } from '../context.ts'
import { parseObject, takeJson } from '../body.ts'
import { acceptEvents } from '../accept.ts'
import { jsonContent, ROUTING_KEY, sending, toSchema, type RouteGroup } from '../describe-route.ts'
import { noteRefusal } from '../problem.ts'
import { sendInvalid, sendJson } from '../result.ts'
import { requestedKey, routeEvent } from '../routing.ts'

/** PagerDuty's own Events API v2, for its existing clients: same paths, same bodies, same answers. */
export const EVENT_ROUTES: RouteGroup = {
  mount,
  paths: {
    [ENDPOINT.alert]: { post: sendingEvent('Trigger, acknowledge or resolve an alert', 'Alert') },
    [ENDPOINT.change]: { post: sendingEvent('Send a change event, which pages nobody', 'Change') },
  },
  schemas: { Alert: eventSchema(ALERT_SCHEMA), Change: eventSchema(CHANGE_SCHEMA) },
}

function sendingEvent(summary: string, schema: string): object {
  return sending(summary, { required: true, content: jsonContent(schema) }, 'Answer')
}

function eventSchema(schema: ZodType): object {
  return { allOf: [{ type: 'object', properties: { routing_key: ROUTING_KEY } }, toSchema(schema)] }
}

function mount(app: FastifyInstance, deps: RelayDeps): void {
  takeJson(app)
  for (const kind of ['alert', 'change'] as const) {
    app.post(ENDPOINT[kind], (request, reply) => takeEvent(kind, { request, reply, deps }))
  }
}

async function takeEvent(kind: Event['kind'], { request, reply, deps }: Call): Promise<FastifyReply> {
  const document = parseObject(request.body)
  if (document === undefined) {
    noteRefusal(reply, UNRECOGNIZED.errors)
    return sendJson(reply, 400, UNRECOGNIZED)
  }
  const members = maskParsed(cleanObject(document), String(request.body), deps.config.mask)
  const reading = readEvent(kind, members, () => ({}))
  const given = 'problems' in reading ? undefined : reading.routingKey
  const routing = routeEvent(kind, requestedKey(given, request.headers['x-routing-key']), deps.config.ownKeys)
  const problems = [
    ...('problems' in reading ? reading.problems : []),
    ...('problem' in routing ? [routing.problem] : []),
  ]
  if ('problems' in reading || 'problem' in routing)
    return sendInvalid(reply, { status: 400, message: 'Event object is invalid', errors: problems })
  const event = withDedupKey(reading.event)
  const items = routing.keys.map((key) => ({ event, key }))
  return await acceptEvents(items, { request, reply, deps }, reading.warnings)
}

/** PagerDuty's answer to a body that it cannot read (an example in its OpenAPI). */
const UNRECOGNIZED = {
  status: 'Unrecognized object',
  message: 'Event object format is unrecognized',
  errors: ['JSON parse error'],
}

/** A trigger gets its dedup key before it is accepted, so that no retry opens a second alert. */
function withDedupKey({ kind, body }: Event): Event {
  if (kind === 'change' || body.dedup_key !== undefined) return { kind, body }
  return { kind, body: { ...body, dedup_key: randomUUID() } }
}
