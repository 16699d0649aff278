import { version } from '../version.ts'
import { SESSION_COOKIE } from './access.ts'
import { answering, type RouteGroup } from './describe-route.ts'
import { sendJson } from './result.ts'
import { DEPLOYMENT_ROUTES } from './routes/deployments.ts'
import { EVENT_ROUTES } from './routes/events.ts'
import { HOOK_ROUTES } from './routes/hooks.ts'
import { OUTCOME_ROUTES } from './routes/outcomes.ts'
import { LIVE_ROUTES } from './routes/live.ts'
import { ONE_EVENT_ROUTES } from './routes/one-event.ts'
import { OVERVIEW_ROUTES } from './routes/overview.ts'
import { PAGE_ROUTES } from './routes/page.ts'
import { SPOOL_ROUTES } from './routes/spool.ts'
import { STARTED_ROUTES } from './routes/started.ts'
import { STATUS_ROUTES } from './routes/status.ts'

const API_ROUTES: RouteGroup = {
  mount: (app) => {
    app.get('/openapi.json', (_request, reply) => sendJson(reply, 200, openApi()))
  },
  paths: { '/openapi.json': { get: answering('This document', { description: 'the document' }) } },
}

/** All routes of the relay. */
export const ROUTES: readonly RouteGroup[] = [
  EVENT_ROUTES,
  OUTCOME_ROUTES,
  STARTED_ROUTES,
  HOOK_ROUTES,
  SPOOL_ROUTES,
  DEPLOYMENT_ROUTES,
  ONE_EVENT_ROUTES,
  OVERVIEW_ROUTES,
  LIVE_ROUTES,
  PAGE_ROUTES,
  STATUS_ROUTES,
  API_ROUTES,
]

/** The relay's API as an OpenAPI 3.1 document, joined from the routes' own descriptions. */
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
    paths: Object.assign({}, ...ROUTES.map(({ paths }) => paths)) as object,
    components: {
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: SESSION_COOKIE,
          description: 'set by POST /ui/session',
        },
        bearer: { type: 'http', scheme: 'bearer', description: 'PAGERDUTY_RELAY_TOKEN, if it is set' },
      },
      responses: {
        Problem: {
          description: 'What went wrong, and what to do',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      schemas: {
        ...(Object.assign({}, ...ROUTES.map(({ schemas }) => schemas)) as object),
        Answer: ANSWER,
        Problem: PROBLEM,
      },
    },
  }
}

const ANSWER = {
  type: 'object',
  description: 'What PagerDuty answers, or would answer.',
  properties: {
    status: { type: 'string' },
    message: { type: 'string' },
    dedup_key: { type: 'string' },
    errors: { type: 'array', items: { type: 'string' } },
    due_at: {
      type: 'string',
      format: 'date-time',
      description: 'When a deployment that has begun is overdue',
    },
    kept: { type: 'string', enum: ['on disk', 'in memory'] },
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
