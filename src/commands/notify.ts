import type { EventInput } from '../core/build-event.ts'
import { identify } from '../core/identity.ts'
import { planEvents, type EventCommand } from '../core/plan-events.ts'
import type { CommandResult } from '../core/summary.ts'
import { Failure } from '../core/failure.ts'
import { explainIdentity } from '../cli/report.ts'
import { sendEvents } from './send-events.ts'
import { randomDedupKey, type Session } from '../cli/session.ts'

/**
 * `success`, `failure`, `change`, `trigger`, `acknowledge`, `resolve`: makes the command's events and sends them.
 * @returns the exit status
 */
export async function notify(
  session: Session,
  command: EventCommand,
  result: CommandResult = {},
): Promise<number> {
  const { io, config, log } = session
  const { as, resolve, fields } = config.event
  if ((command === 'change' || command === 'trigger') && fields.summary === undefined) {
    throw new Failure('usage', `${command} needs --summary (or PAGERDUTY_SUMMARY)`)
  }
  const input = eventInput(session, result)
  const plan = planEvents(command, input, { as, resolve, randomKey: randomDedupKey })
  for (const warning of plan.warnings) log.warn(warning)
  if (config.dryRun) explainIdentity(plan.events, input.identity, log)
  const exitCode = await sendEvents(session, plan.events)
  const [event] = plan.events
  if (config.note && event !== undefined && !io.signal.aborted) {
    if (config.dryRun) log.info('the deployment would be noted on the open incidents of the service')
    else await (await import('./incident-note.ts')).noteDeployment(session, event)
  }
  return exitCode
}

/** What the configuration, the build and the clock say, put together for the event builder. */
export function eventInput({ config, io }: Session, result: CommandResult = {}): EventInput {
  const { event, build } = config
  return {
    fields: event.fields,
    build,
    identity: identify(event.choices, build, io.hostname),
    ...(event.choices.environment && { environment: event.choices.environment.value }),
    result,
    nowIso: new Date().toISOString(),
  }
}
