import { randomUUID } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import type { EventInput } from '../core/build-event.ts'
import type { Event } from '../core/event.ts'
import { isCounting, type PagingConfig } from '../config/paging.ts'
import { planEvents, type EventCommand } from '../core/plan-events.ts'
import type { SpoolItem } from '../spool/spool.ts'
import { acceptEvents } from './accept.ts'
import { countFailure } from './count-failure.ts'
import type { Call, RelayDeps } from './context.ts'
import { sendProblem } from './problem.ts'
import { requestedKey, routeEvent } from './routing.ts'

/** What a caller says about its report besides the deployment. */
interface ReportOptions {
  /** What was changed in the report. */
  readonly notes?: readonly string[]
  /** Whom a failure pages; default: as the relay is set. */
  readonly paging?: PagingConfig
  /** The routing key in the body. */
  readonly givenKey?: string | undefined
}

/** Makes the events of an outcome that a caller reported, accepts them and answers. */
export async function acceptOutcome(
  outcome: EventCommand,
  input: EventInput,
  call: Call,
  { notes = [], paging = call.deps.config.paging, givenKey }: ReportOptions = {},
): Promise<FastifyReply> {
  const { request, reply, deps } = call
  const { as, resolve } = deps.config.event
  const { failureAs } = paging
  const isCounted = outcome === 'failure' && isCounting(paging)
  const counted = isCounted ? await countFailure(input, paging.after, deps) : input
  const plan = planEvents(outcome, counted, { as, resolve, failureAs, randomKey: randomUUID })
  const given = requestedKey(givenKey, request.headers['x-routing-key'])
  const routed = plan.events.map((event) => routeAll(event, given, deps))
  const problem = routed.find((routing) => typeof routing === 'string')
  if (problem !== undefined)
    return sendProblem(reply, { status: given === undefined ? 500 : 400, detail: problem })
  const items = routed.filter((one) => typeof one !== 'string').flat()
  return await acceptEvents(items, call, [...notes, ...plan.warnings])
}

/** An event for the caller's key or each of the relay's own, or why there is none that takes it. */
function routeAll(event: Event, given: string | undefined, { config }: RelayDeps): SpoolItem[] | string {
  const routing = routeEvent(event.kind, given, config.ownKeys)
  return 'problem' in routing ? routing.problem : routing.keys.map((key) => ({ event, key }))
}
