import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { EventInput } from '../core/build-event.ts'
import type { Event } from '../core/event.ts'
import { identify } from '../core/identity.ts'
import { formatOutput } from '../core/output.ts'
import { planEvents } from '../core/plan-events.ts'
import type { SpoolItem } from '../delivery/spool.ts'
import type { RelayDeps } from './app.ts'
import { readOutcomeBody, type OutcomeBody } from './outcome-body.ts'
import { parseObject, takeForms, takeJson } from './parse-body.ts'
import { sendProblem } from './problem.ts'
import { routeEvent } from './routing.ts'
import { takeIn, type Call } from './take-in.ts'

/** Last lines of a deployment's output that its alert shows. */
const OUTPUT_LINES = 40

/** What a deployment did, in the words of whoever ran it: the relay makes the events from its own build environment. */
export function outcomeRoutes(app: FastifyInstance, deps: RelayDeps): void {
  takeJson(app)
  takeForms(app)
  for (const outcome of ['success', 'failure'] as const) {
    app.post(`/${outcome}`, (request, reply) => reportOutcome(outcome, { request, reply, deps }))
  }
}

async function reportOutcome(outcome: 'success' | 'failure', call: Call): Promise<FastifyReply> {
  const { request, reply, deps } = call
  const members = membersOf(request.body)
  if (members === undefined)
    return sendProblem(reply, { status: 400, detail: 'the body is not a JSON object' })
  const body = readOutcomeBody(members)
  if ('problems' in body)
    return sendProblem(reply, { status: 400, detail: 'the body cannot be used', errors: body.problems })
  const { as, resolve } = deps.config.event
  const plan = planEvents(outcome, eventInput(body, deps), { as, resolve, randomKey: randomUUID })
  const routed = plan.events.map((event) => routeAll(event, deps))
  const problem = routed.find((routing) => typeof routing === 'string')
  if (problem !== undefined) return sendProblem(reply, { status: 500, detail: problem })
  return await takeIn(routed.filter((items) => typeof items !== 'string').flat(), call, plan.warnings)
}

/** What a body says; an empty one says nothing, and leaves everything to the build. */
function membersOf(body: unknown): Record<string, unknown> | undefined {
  if (body instanceof URLSearchParams) return formMembers(body)
  return body === undefined || body === null || body === '' ? {} : parseObject(body)
}

/** A form's members; a repeated one becomes a list, which only `links` may be. */
function formMembers(form: URLSearchParams): Record<string, unknown> {
  return Object.fromEntries(
    [...new Set(form.keys())].map((name) => {
      const values = form.getAll(name)
      return [name, values.length === 1 ? values[0] : values]
    }),
  )
}

function eventInput(body: OutcomeBody, { config, hostname }: RelayDeps): EventInput {
  const { event, build, outputSecrets } = config
  const { environment, exitCode, details, links, summary, severity } = body
  const choices = { ...event.choices, ...(environment !== undefined && { environment: traced(environment) }) }
  const output =
    body.output === undefined ? undefined : formatOutput(body.output, OUTPUT_LINES, outputSecrets)
  return {
    fields: {
      ...event.fields,
      ...(summary !== undefined && { summary }),
      ...(severity !== undefined && { severity }),
      ...(details !== undefined && { details: { ...event.fields.details, ...details } }),
      ...(links !== undefined && { links: [...(event.fields.links ?? []), ...links] }),
    },
    build,
    identity: identify(choices, build, hostname),
    result: { ...(exitCode !== undefined && { exitCode }), ...(output !== undefined && { output }) },
    nowIso: new Date().toISOString(),
  }
}

function traced(value: string): { value: string; origin: string } {
  return { value, origin: 'the request' }
}

/** An event for each of the relay's keys, or why there is none that takes it. */
function routeAll(event: Event, { config }: RelayDeps): SpoolItem[] | string {
  const routing = routeEvent(event.kind, undefined, config.ownKeys)
  return 'problem' in routing ? routing.problem : routing.keys.map((key) => ({ event, key }))
}
