import { eventInput, type EventInput } from '../core/build-event.ts'
import { counterMissing } from '../config/load.ts'
import { isCounting } from '../config/paging.ts'
import { Failure } from '../core/failure.ts'
import { planEvents, type EventCommand } from '../core/plan-events.ts'
import type { CommandResult } from '../core/summary.ts'
import { explainIdentity } from '../cli/report.ts'
import { randomDedupKey, type Session } from '../cli/session.ts'
import { addressPosts, printRequests, reportDeliveries, sendPosts } from './send-posts.ts'

/**
 * `success`, `failure`, `change`, `trigger`, `acknowledge`, `resolve`: plans the command's events, finds out where they go,
 * delivers them, reports the result, and notes it on open incidents.
 * @returns the exit status
 */
export async function notify(
  session: Session,
  command: EventCommand,
  result: CommandResult = {},
): Promise<number> {
  const { io, config, log, identity } = session
  const { fields, choices, as, resolve } = config.event
  if ((command === 'change' || command === 'trigger') && fields.summary === undefined) {
    throw new Failure('usage', `${command} needs --summary (or PAGERDUTY_SUMMARY)`)
  }
  const missing = isOutcome(command) ? counterMissing(config) : undefined
  if (missing !== undefined) throw new Failure('config', missing)
  const nowIso = new Date().toISOString()
  const uncounted = eventInput({ fields, choices, build: config.build, identity, result, nowIso })
  const isCounted = command === 'failure' && isCounting(config.paging)
  const input = isCounted ? await countFailure(session, uncounted) : uncounted
  const { failureAs } = config.paging
  const { isSuspended } = config.started
  const options = { as, resolve, failureAs, isSuspended, randomKey: randomDedupKey }
  const { events, warnings } = planEvents(command, input, options)
  for (const warning of warnings) log.warn(warning)
  if (config.dryRun) explainIdentity(events, identity, log)

  const addressed = await addressPosts(session, events)
  if (config.dryRun) {
    printRequests(io, addressed)
    if (config.note) log.info('a note about the deployment would be added to the service’s open incidents')
    return 0
  }
  const deliveries = await sendPosts(session, addressed)
  const exitCode = await reportDeliveries(session, deliveries)
  const [event] = events
  if (config.note && event !== undefined && !io.signal.aborted)
    await (await import('./incident-note.ts')).noteOnOpenIncidents(session, event)
  // `run` has asked this while its command ran.
  if (session.command === 'failure' && config.rest.token !== undefined && !io.signal.aborted)
    await (await import('./who-is-paged.ts')).logWhoIsPaged(session)
  return exitCode
}

function isOutcome(command: EventCommand): boolean {
  return ['success', 'failure', 'soft-failure', 'cancelled'].includes(command)
}

/** Loads what counts, which most failures do not need. */
async function countFailure(session: Session, input: EventInput): Promise<EventInput> {
  const counting = await import('./count-failure.ts')
  return await counting.countFailure(session, input)
}
