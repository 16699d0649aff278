import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { isoTime } from '../../core/iso-time.ts'
import type { RelayConfig } from '../../config/load-relay.ts'
import type { EventPlace, RetryPreview } from '../../spool/listing.ts'
import type { DeadFilter, EventStatus, SpoolCounts, SpoolEntry } from '../../spool/spool.ts'
import { parseObject, takeJson } from '../body.ts'
import type { Call, RelayedFleet } from '../context.ts'
import { describeEntry } from '../../spool/describe-entry.ts'
import { createKeyFinder } from '../../spool/key-names.ts'
import { describeListed } from '../describe-event.ts'
import { answering, jsonContent, toSchema, type RouteGroup } from '../describe-route.ts'
import { DEAD_SCHEMA, eventFilterOf, RETRY_SCHEMA, SEARCH_SCHEMA } from '../event-filter.ts'
import { RELAY_LIMITS } from '../limits.ts'
import { NO_EVENTS } from '../overview.ts'
import { sendProblem } from '../problem.ts'
import { sendJson } from '../result.ts'

const STATUSES = ['pending', 'delivered', 'dead'] as const satisfies readonly EventStatus[]
const LISTED_STATUSES = [...STATUSES, 'discarded'] as const

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
        ...answering(
          'List the events in the spool, with keys masked',
          { description: 'events, and counts by status' },
          [400, 401, 503],
        ),
        parameters: [
          queryParameter('after', 'Without order: the last id of the previous page', { type: 'integer' }),
          queryParameter(
            'scope',
            'Without order: own for the events that this relay of a fleet accepted. all fails if the fleet cannot be asked',
            { type: 'string', enum: ['own', 'all'] },
          ),
          ...Object.entries(toSchema(SEARCH_SCHEMA)['properties'] as Record<string, SearchParameter>).map(
            ([name, { description = '', ...schema }]) => queryParameter(name, description, schema),
          ),
        ],
      },
    },
    '/events/retry': {
      post: changingDead(
        'Retry dead events',
        '{"retried": N}; also "left_out", a number, and "note" if sending some now would undo a later event of their ' +
          'alert. With dry_run {"would_retry": N, "would_trigger": N, "oldest_at", "left_out"}',
        'Retry',
      ),
    },
    '/events/discard': {
      post: changingDead('Discard dead events for good', '{"discarded": N}', 'DeadEvents'),
    },
  },
  schemas: { DeadEvents: toSchema(DEAD_SCHEMA), Retry: toSchema(RETRY_SCHEMA) },
}

interface SearchParameter {
  readonly description?: string
}

function queryParameter(name: string, description: string, schema: object): object {
  return { name, in: 'query', ...(description !== '' && { description }), schema }
}

function changingDead(summary: string, description: string, schema: string): object {
  return {
    ...answering(summary, { description }, [400, 401, 503]),
    requestBody: { required: false, content: jsonContent(schema) },
  }
}

async function listEvents(call: Call): Promise<FastifyReply> {
  const { request, reply, deps } = call
  const { spool, config } = deps
  const { status, after, order, scope } = request.query as Record<string, unknown>
  if (order !== undefined) return await findEvents(call)
  const chosen = STATUSES.filter((each) => status === undefined || each === status)
  const afterId = after === undefined ? 0 : Number(after)
  if (chosen.length === 0 || !Number.isSafeInteger(afterId)) {
    const detail = `status must be one of ${STATUSES.join(', ')}, and after must be the last id of the previous page`
    return sendProblem(reply, { status: 400, detail })
  }
  const secretOf = createKeyFinder(config.delivery.keys)
  const lists = chosen.map(async (each) => (await spool?.list(each, RELAY_LIMITS.listed, afterId)) ?? [])
  const entries = (await Promise.all(lists)).flat()
  const setAside = spool?.setAside() ?? []
  const counts = (await spool?.counts()) ?? NO_EVENTS
  const isScoped = scope === 'own' || scope === 'all'
  const scoped =
    isScoped && deps.fleet !== undefined ? await scopedTo(scope, { entries, counts }, deps.fleet) : undefined
  return sendJson(reply, 200, {
    events: (scoped?.entries ?? entries).map((entry) => describeEntry(entry, secretOf(entry.key))),
    counts: scoped?.counts ?? counts,
    ...(setAside.length > 0 && { set_aside: setAside }),
  })
}

interface Listing {
  readonly entries: readonly Listed[]
  readonly counts: SpoolCounts
}

/** Only what this relay accepted, or all of the fleet. How many of a relay's own events were delivered is not known. */
async function scopedTo(
  scope: 'own' | 'all',
  { entries, counts }: Listing,
  { figures, pending }: RelayedFleet,
): Promise<Listing> {
  if (scope === 'all') return { entries, counts: { ...counts, pending: await pending('all') } }
  const { origin } = figures()
  const own = entries.filter((entry) => entry.where === 'spool' || entry.origin === origin)
  const dead = own.filter(({ status }) => status === 'dead').length
  return { entries: own, counts: { ...counts, pending: await pending('own'), dead } }
}

type Listed = SpoolEntry & EventPlace

/** The newest events that match, with more about each. */
async function findEvents({ request, reply, deps: { spool, config } }: Call): Promise<FastifyReply> {
  const { data, error } = SEARCH_SCHEMA.safeParse(request.query)
  if (data === undefined) {
    const names = error.issues.map(({ path }) => path.join('.')).join(', ')
    return sendProblem(reply, { status: 400, detail: `${names}: not a value that /openapi.json allows` })
  }
  const { status, before, limit, ...filter } = data
  const found = await spool?.find({
    ...eventFilterOf(filter, config),
    statuses: status === undefined ? LISTED_STATUSES : [status],
    limit,
    ...(before !== undefined && { beforeId: before }),
  })
  return sendJson(reply.header('cache-control', 'no-store'), 200, {
    events: (found ?? []).map((event) => describeListed(event, config)),
    counts: (await spool?.counts()) ?? NO_EVENTS,
  })
}

async function retryEvents(call: Call): Promise<FastifyReply> {
  const { reply, deps } = call
  const wanted = readDead(call, RETRY_SCHEMA)
  if (wanted === undefined) return refuseFilter(call)
  const { dry_run: isDryRun, ...dead } = wanted
  const filter = deadFilterOf(dead, deps.config)
  if (isDryRun === true) return sendJson(reply, 200, describePreview(await deps.spool?.previewRetry(filter)))
  const { retried, leftOut } = (await deps.spool?.retry(filter)) ?? { retried: 0, leftOut: 0 }
  if (leftOut === 0) return sendJson(reply, 200, { retried })
  return sendJson(reply, 200, { retried, left_out: leftOut, note: LEFT_OUT })
}

function describePreview(preview: RetryPreview | undefined): object {
  const { retried, leftOut, triggers, oldestAtMs } = preview ?? { retried: 0, leftOut: 0, triggers: 0 }
  return {
    would_retry: retried,
    would_trigger: triggers,
    left_out: leftOut > 0 ? leftOut : undefined,
    oldest_at: isoTime(oldestAtMs),
  }
}

const LEFT_OUT =
  'a later event of the same alert was delivered or is pending, so sending these now would undo it; a retry by id sends one anyway'

async function discardEvents(call: Call): Promise<FastifyReply> {
  const { reply, deps } = call
  const dead = readDead(call, DEAD_SCHEMA)
  if (dead === undefined) return refuseFilter(call)
  const discarded = (await deps.spool?.discard(deadFilterOf(dead, deps.config))) ?? 0
  return sendJson(reply, 200, { discarded })
}

type Dead = z.infer<typeof DEAD_SCHEMA>

/** Which dead events a body means; undefined if that is not clear. */
function readDead<T extends Dead>({ request: { body } }: Call, schema: z.ZodType<T>): T | undefined {
  const isEmpty = body === undefined || body === null || body === ''
  const { data } = schema.safeParse(isEmpty ? {} : parseObject(body))
  if (data?.id === undefined) return data
  const { key, kind, dedup_key: dedupKey, answer } = data
  return [key, kind, dedupKey, answer].every((each) => each === undefined) ? data : undefined
}

function refuseFilter({ reply }: Call): FastifyReply {
  return sendProblem(reply, { status: 400, detail: 'the body must be {"id"}, {"key"} or {} for all' })
}

function deadFilterOf({ id, ...filter }: Dead, config: RelayConfig): DeadFilter {
  return id === undefined ? eventFilterOf(filter, config) : { id }
}
