import type { FastifyReply } from 'fastify'
import type { PagingConfig } from '../../config/paging.ts'
import { eventInput, type EventInput } from '../../core/build-event.ts'
import { identify } from '../../core/identity.ts'
import { cleanObject } from '../../core/json.ts'
import { formatOutput } from '../../core/mask-output.ts'
import type { Call, RelayDeps } from '../context.ts'
import { OUTCOME_SCHEMA, readOutcomeBody, type OutcomeBody } from './outcome-body.ts'
import { parseObject, takeForms, takeJson } from '../body.ts'
import { optionalBody, sending, toSchema, type RouteGroup } from '../describe-route.ts'
import { RELAY_LIMITS } from '../limits.ts'
import type { Form } from '../parse-form.ts'
import { keyMask, keyText, requestedKey } from '../routing.ts'
import { sendProblem } from '../problem.ts'
import { acceptOutcome } from '../accept-outcome.ts'

/** How a deployment ended, as callers report it. */
const OUTCOMES = ['success', 'failure'] as const
type Outcome = (typeof OUTCOMES)[number]

/** For callers that only know how a deployment ended: the relay makes the events from its own build environment. */
export const OUTCOME_ROUTES: RouteGroup = {
  mount: (app, deps) => {
    takeJson(app)
    takeForms(app)
    for (const outcome of OUTCOMES)
      app.post(`/${outcome}`, (request, reply) => reportOutcome(outcome, { request, reply, deps }))
  },
  paths: {
    '/success': {
      post: sending(
        'Report a successful deployment: sends a change event and resolves the failure alert',
        optionalBody('Outcome'),
      ),
    },
    '/failure': {
      post: sending('Report a failed deployment: triggers the failure alert', optionalBody('Outcome')),
    },
  },
  schemas: { Outcome: toSchema(OUTCOME_SCHEMA) },
}

async function reportOutcome(outcome: Outcome, call: Call): Promise<FastifyReply> {
  const { request, reply, deps } = call
  const members = readMembers(request.body)
  if (typeof members === 'string') return sendProblem(reply, { status: 400, detail: members })
  const { routing_key: key, ...others } = cleanObject(members)
  const givenKey = keyText(key)
  const hide = keyMask(requestedKey(givenKey, request.headers['x-routing-key']))
  const reading = readOutcomeBody(hide(deps.config.mask(others)))
  if ('problems' in reading)
    return sendProblem(reply, { status: 400, detail: 'the body is not valid', errors: reading.problems })
  const { body, notes } = reading
  const paging = { ...deps.config.paging, ...pagingOf(body) }
  return await acceptOutcome(outcome, inputOf(body, deps), call, { notes, paging, givenKey })
}

/** The members of a body, or why it has none. An empty body leaves everything to the build. */
export function readMembers(body: unknown): Record<string, unknown> | string {
  if (body === undefined || body === null) return {}
  if (typeof body === 'string')
    return body.trim() === '' ? {} : (parseObject(body) ?? 'the body is not a JSON object')
  const form = body as Form
  return 'problem' in form ? form.problem : form.members
}

function pagingOf({ failureAs, after }: OutcomeBody): Partial<PagingConfig> {
  return { ...(failureAs !== undefined && { failureAs }), ...(after !== undefined && { after }) }
}

/** What the events of an outcome are made of: the caller's report and the relay's own build. */
export function inputOf(body: OutcomeBody, { config, hostname }: RelayDeps): EventInput {
  const { event, build, outputSecrets } = config
  const { environment, exitCode, details, links, summary, severity, isRollback } = body
  const choices = { ...event.choices, ...(environment !== undefined && { environment: traced(environment) }) }
  const output =
    body.output === undefined ? undefined : formatOutput(body.output, RELAY_LIMITS.outputLines, outputSecrets)
  return eventInput({
    fields: {
      ...event.fields,
      ...(summary !== undefined && { summary }),
      ...(severity !== undefined && { severity }),
      ...(isRollback !== undefined && { isRollback }),
      ...(details !== undefined && { details: { ...event.fields.details, ...details } }),
      ...(links !== undefined && { links: [...(event.fields.links ?? []), ...links] }),
    },
    choices,
    build,
    identity: identify(choices, build, hostname),
    result: { ...(exitCode !== undefined && { exitCode }), ...(output !== undefined && { output }) },
    nowIso: new Date().toISOString(),
  })
}

function traced(value: string): { value: string; origin: string } {
  return { value, origin: 'the request' }
}
