import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RelayDeps } from './context.ts'
import { RELAY_LIMITS } from './limits.ts'

/** Routes that belong together: how they are mounted, and their part of the OpenAPI document. */
export interface RouteGroup {
  readonly mount: (app: FastifyInstance, deps: RelayDeps) => void
  /** OpenAPI's path items, by path. A test compares them with what `mount` adds. */
  readonly paths: Readonly<Record<string, object>>
  /** Schemas that the paths refer to, by name. */
  readonly schemas?: Readonly<Record<string, object>>
}

/** Any route may answer with these to a request that a web page could have sent (`guards.ts`). */
const FOREIGN = [403, 421] as const
const PROBLEM_REF = { $ref: '#/components/responses/Problem' } as const

/** A route that answers a question: one successful answer, and the statuses of its errors. */
export function answering(
  summary: string,
  success: { readonly description: string; readonly mediaType?: string; readonly schema?: string },
  errors: readonly number[] = [],
): object {
  const { description, mediaType = 'application/json' } = success
  const plain = { [mediaType]: { schema: { type: mediaType === 'application/json' ? 'object' : 'string' } } }
  return {
    summary,
    responses: {
      200: { description, content: success.schema === undefined ? plain : jsonContent(success.schema) },
      ...problems([...errors, ...FOREIGN]),
    },
  }
}

/**
 * A route that sends events to PagerDuty.
 * @param refusal the schema of the answer to a bad body; default: a problem
 */
export function sending(summary: string, requestBody: object, refusal?: string): object {
  return {
    summary,
    parameters: [PREFER, KEY_HEADER],
    requestBody,
    responses: {
      202: {
        description: 'Accepted by PagerDuty; with a spool, synced to disk',
        content: jsonContent('Answer'),
      },
      400:
        refusal === undefined
          ? PROBLEM_REF
          : { description: 'The event is invalid', content: jsonContent(refusal) },
      ...problems([401, ...FOREIGN, 413, 415, 429, 500, 502, 503, 504]),
    },
  }
}

/** A body that may be empty, since the build says the rest: JSON, or a form. */
export function optionalBody(schema: string): object {
  const json = jsonContent(schema)
  return {
    required: false,
    content: { ...json, 'application/x-www-form-urlencoded': json['application/json'] },
  }
}

/** A route that remembers something for later: 202 if it is kept. */
export function keeping(summary: string, schema: string): object {
  return {
    summary,
    parameters: [KEY_HEADER],
    requestBody: optionalBody(schema),
    responses: {
      202: {
        description: 'Recorded: on disk with a spool, otherwise in memory',
        content: jsonContent('Answer'),
      },
      ...problems([400, 401, ...FOREIGN, 413, 415, 500, 503]),
    },
  }
}

/**
 * A route for the webhooks of a system, which have a secret of their own.
 * @param system its name, as people write it
 */
export function describeWebhook(system: string): object {
  return {
    summary: `Take a webhook of ${system}: a deployment has begun or ended`,
    responses: {
      200: {
        description: 'Ignored: it reports nothing to send to PagerDuty',
        content: { 'application/json': { schema: { type: 'object' } } },
      },
      202: { description: 'Accepted, as for any event', content: jsonContent('Answer') },
      ...problems([400, ...FOREIGN, 404, 413, 429, 500, 502, 503, 504]),
    },
    requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
    security: [],
  }
}

/** A JSON body of a named schema. */
export function jsonContent(schema: string): { 'application/json': object } {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }
}

/** `routing_key` of an event that is sent to a relay. */
export const ROUTING_KEY = {
  type: 'string',
  description: 'Integration key; absent or "relay" for the relay’s own.',
} as const

/** A Zod schema as JSON Schema, as a caller writes the value. */
export function toSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}

function problems(statuses: readonly number[]): Record<number, object> {
  return Object.fromEntries(statuses.map((status) => [status, PROBLEM_REF]))
}

const PREFER = {
  name: 'Prefer',
  in: 'header',
  description: `wait=N: with a spool, answer when PagerDuty has answered, or after N seconds (at most ${RELAY_LIMITS.waitSeconds})`,
  schema: { type: 'string' },
} as const

const KEY_HEADER = {
  name: 'X-Routing-Key',
  in: 'header',
  description: 'The routing key; it counts as if it were in the body.',
  schema: { type: 'string' },
} as const
