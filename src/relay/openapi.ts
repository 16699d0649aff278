import { z } from 'zod'
import { ALERT_SCHEMA, CHANGE_SCHEMA } from '../core/event-schema.ts'
import { version } from '../version.ts'
import { RELAY_LIMITS } from './limits.ts'
import { OUTCOME_SCHEMA } from './routes/outcome-body.ts'
import { DEAD_SCHEMA } from './routes/spool.ts'

/** The relay's API as an OpenAPI 3.1 document, made from the schemas that bodies are checked against. */
export function openApi(): Record<string, unknown> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'pagerduty-alert relay',
      version,
      description:
        'Holds the key, speaks PagerDuty’s Events API v2 to the other containers of a build, and with a spool keeps ' +
        'what it accepted until PagerDuty has it.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    security: [{}, { bearer: [] }],
    paths: {
      '/v2/enqueue': { post: sendingEvent('Trigger, acknowledge or resolve an alert', 'Alert') },
      '/v2/change/enqueue': { post: sendingEvent('Tell of a change, which pages nobody', 'Change') },
      '/success': {
        post: sendingOutcome('A deployment succeeded: a change event, and the failure alert is resolved'),
      },
      '/failure': { post: sendingOutcome('A deployment failed: the failure alert is triggered') },
      '/events': { get: listing() },
      '/events/retry': { post: changingDead('Make dead events pending again', RETRIED) },
      '/events/discard': { post: changingDead('Remove dead events for good', '{"discarded": N}') },
      '/': { get: asking('What this is, and where its API is described', 'name and addresses', [401]) },
      '/healthz': { get: asking('Whether the process lives', 'alive', []) },
      '/readyz': { get: asking('Whether events can be taken; does not depend on PagerDuty', 'ready', [503]) },
      '/metrics': {
        get: {
          summary: 'Metrics for Prometheus',
          responses: { 200: plain('Exposition text'), ...problems(FOREIGN) },
        },
      },
      '/openapi.json': { get: asking('This document', 'the document', []) },
      '/pagerduty.sh': {
        get: {
          summary: 'The client for images that have only sh and curl or wget',
          responses: { 200: script(), ...problems([401, ...FOREIGN]) },
        },
      },
    },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'PAGERDUTY_RELAY_TOKEN, where it is set' },
      },
      responses: { Problem: problemResponse() },
      schemas: {
        Alert: eventSchema(ALERT_SCHEMA),
        Change: eventSchema(CHANGE_SCHEMA),
        Outcome: toSchema(OUTCOME_SCHEMA),
        DeadEvents: toSchema(DEAD_SCHEMA),
        Answer: ANSWER,
        Problem: PROBLEM,
      },
    },
  }
}

const ROUTING_KEY = {
  type: 'string',
  description: 'Integration key; absent or "relay" for the relay’s own.',
} as const

const ANSWER = {
  type: 'object',
  description: 'What PagerDuty answers, or would answer.',
  properties: {
    status: { type: 'string' },
    message: { type: 'string' },
    dedup_key: { type: 'string' },
    errors: { type: 'array', items: { type: 'string' } },
  },
} as const

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    errors: { type: 'array', items: { type: 'string' } },
  },
} as const

const PREFER = {
  name: 'Prefer',
  in: 'header',
  description: `wait=N: where the relay has a spool, answer when PagerDuty has, after N seconds (at most ${RELAY_LIMITS.waitSeconds}) at the latest`,
  schema: { type: 'string' },
} as const

const KEY_HEADER = {
  name: 'X-Routing-Key',
  in: 'header',
  description: 'The routing key, as if it were in the body.',
  schema: { type: 'string' },
} as const

function toSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}

function eventSchema(schema: z.ZodType): object {
  return { allOf: [{ type: 'object', properties: { routing_key: ROUTING_KEY } }, toSchema(schema)] }
}

function sendingEvent(summary: string, schema: string): object {
  return {
    summary,
    parameters: [PREFER, KEY_HEADER],
    requestBody: { required: true, content: json(schema) },
    responses: {
      ...sendingResponses(),
      400: { description: 'The event is invalid', content: json('Answer') },
    },
  }
}

function sendingOutcome(summary: string): object {
  const content = {
    ...json('Outcome'),
    'application/x-www-form-urlencoded': json('Outcome')['application/json'],
  }
  return {
    summary,
    parameters: [PREFER, KEY_HEADER],
    requestBody: { required: false, content },
    responses: { ...sendingResponses(), 400: PROBLEM_REF },
  }
}

const PROBLEM_REF = { $ref: '#/components/responses/Problem' } as const

function sendingResponses(): Record<number, object> {
  return {
    202: { description: 'PagerDuty has it; or, with a spool, it is synced to disk', content: json('Answer') },
    ...problems([401, ...FOREIGN, 413, 415, 429, 500, 502, 503, 504]),
  }
}

/** What a request that a web page may have sent is answered with, on every route. */
const FOREIGN = [403, 421] as const

function problems(statuses: readonly number[]): Record<number, object> {
  return Object.fromEntries(statuses.map((status) => [status, PROBLEM_REF]))
}

function asking(summary: string, description: string, errors: readonly number[]): object {
  return {
    summary,
    responses: {
      200: { description, content: { 'application/json': { schema: { type: 'object' } } } },
      ...problems([...errors, ...FOREIGN]),
    },
  }
}

function listing(): object {
  const query = (name: string, description: string, schema: object): object => ({
    name,
    in: 'query',
    description,
    schema,
  })
  return {
    ...asking('What is in the spool, keys masked', 'events and counts', [400, 401]),
    parameters: [
      query('status', 'Only these', { type: 'string', enum: ['pending', 'delivered', 'dead'] }),
      query('after', 'The last id of the page before', { type: 'integer' }),
    ],
  }
}

const RETRIED =
  '{"retried": N}; with "left_out", a number, and "note" where sending some now would undo a later event of their alert'

function changingDead(summary: string, description: string): object {
  return {
    ...asking(summary, description, [400, 401, 503]),
    requestBody: { required: false, content: json('DeadEvents') },
  }
}

function json(schema: string): { 'application/json': object } {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }
}

function plain(description: string): object {
  return { description, content: { 'text/plain': { schema: { type: 'string' } } } }
}

function script(): object {
  return { description: 'POSIX shell', content: { 'text/x-shellscript': { schema: { type: 'string' } } } }
}

function problemResponse(): object {
  return {
    description: 'What went wrong, and what to do',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}
