import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { parseDurationMs } from '../../config/parsers.ts'
import { Failure } from '../../core/failure.ts'
import { cleanObject, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { maskMembers } from '../../core/mask-event.ts'
import { readEvent } from '../../core/normalize-event.ts'
import { asStarted, buildStarted } from '../../core/started.ts'
import { acceptStart, type ReportedStart } from '../accept-start.ts'
import { takeForms, takeJson } from '../body.ts'
import type { Call, RelayDeps } from '../context.ts'
import { keeping, toSchema, type RouteGroup } from '../describe-route.ts'
import { sendProblem } from '../problem.ts'
import { keyMask, keyText, requestedKey } from '../routing.ts'
import { OUTCOME_SCHEMA, readOutcomeBody } from './outcome-body.ts'
import { inputOf, readMembers } from './outcomes.ts'

const STARTED_SCHEMA = OUTCOME_SCHEMA.omit({
  exit_code: true,
  output: true,
  failure_as: true,
  after: true,
}).extend({
  within: z
    .string()
    .optional()
    .describe(
      'How long it may be silent before its failure alert is triggered, such as 30m. Default: PAGERDUTY_WITHIN.',
    ),
  elapsed: z
    .string()
    .optional()
    .describe('How long it has been running already, such as 90s. Default: it has just begun.'),
  event: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'The alert to trigger, as POST /v2/enqueue takes it. Default: the relay makes it from its own build.',
    ),
})

/** For callers that say that a deployment has begun, so that somebody is paged if it never ends. */
export const STARTED_ROUTES: RouteGroup = {
  mount: (app, deps) => {
    takeJson(app)
    takeForms(app)
    app.post('/started', (request, reply) => reportStart({ request, reply, deps }))
  },
  paths: {
    '/started': {
      post: keeping(
        'Report that a deployment has begun: its failure alert is triggered if no outcome of the same build follows in time. A repeated report restarts the clock',
        'Started',
      ),
    },
  },
  schemas: { Started: toSchema(STARTED_SCHEMA) },
}

async function reportStart(call: Call): Promise<FastifyReply> {
  const { request, reply, deps } = call
  const members = readMembers(request.body)
  if (typeof members === 'string') return sendProblem(reply, { status: 400, detail: members })
  const { event, routing_key: key, ...others } = cleanObject(members)
  const hide = keyMask(requestedKey(keyText(key), request.headers['x-routing-key']))
  const { within, elapsed, ...rest } = hide(deps.config.mask(others))
  const problems: string[] = []
  const times = {
    withinMs: readDuration('within', within, problems),
    elapsedMs: readDuration('elapsed', elapsed, problems),
  }
  const told = event === undefined ? fromBuild(rest, deps, problems) : fromEvent(event, deps, problems)
  if (told === undefined || problems.length > 0)
    return sendProblem(reply, { status: 400, detail: 'the body is not valid', errors: problems })
  return await acceptStart({ ...told, ...times, givenKey: told.givenKey ?? keyText(key) }, call)
}

function readDuration(name: string, value: Json | undefined, problems: string[]): number | undefined {
  if (value === undefined || value === '') return undefined
  try {
    return parseDurationMs(typeof value === 'string' ? value.trim() : JSON.stringify(value))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    problems.push(`${name}: ${error.message}`)
    return undefined
  }
}

/** The start of the deployment of the relay's own build. */
function fromBuild(members: JsonObject, deps: RelayDeps, problems: string[]): ReportedStart | undefined {
  const reading = readOutcomeBody(members)
  if ('problems' in reading) {
    problems.push(...reading.problems)
    return undefined
  }
  try {
    return { event: buildStarted(inputOf(reading.body, deps)) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    problems.push(error.message)
    return undefined
  }
}

/** The start of a deployment that its caller describes, as the alert to trigger. */
function fromEvent(document: Json, { config }: RelayDeps, problems: string[]): ReportedStart | undefined {
  if (!isObject(document)) {
    problems.push('event: must be an object')
    return undefined
  }
  const reading = readEvent('alert', maskMembers(document, config.mask), () => ({}))
  if ('problems' in reading) {
    problems.push(...reading.problems.map((problem) => `event: ${problem}`))
    return undefined
  }
  const { event, routingKey } = reading
  if (event.body.event_action !== 'trigger' || event.body.dedup_key === undefined) {
    problems.push('event: must be a trigger with a dedup_key')
    return undefined
  }
  return { event: asStarted(event), givenKey: routingKey }
}
