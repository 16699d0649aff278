import type { Session } from '../cli/session.ts'
import { eventInput } from '../core/build-event.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { buildSuspended } from '../core/started.ts'
import { addressPosts, printRequests, reportDeliveries, sendPosts } from './send-posts.ts'
import type { StartAnswer } from './start-reporter.ts'
import { openStartReporter } from './open-start-reporter.ts'

/**
 * `started`: reports to the relay, the fleet or the spool that a deployment has begun and must end. With `--suspended` it
 * sends PagerDuty an alert instead, which a rule of the service holds back.
 * @returns the exit status
 * @throws Failure of kind `usage` if nothing would watch the clock
 */
export async function started(session: Session): Promise<number> {
  const { io, config, log } = session
  if (config.started.isSuspended) return await sendSuspendedAlert(session)
  const reporter = await openStartReporter(session, new Date().toISOString())
  if (reporter === undefined) throw new Failure('usage', NOBODY_WATCHES)
  try {
    if (config.dryRun) {
      io.writeOut(`${JSON.stringify(reporter.describe())}\n`)
      return 0
    }
    const answer = await reporter.report(0, config.delivery.deadlineMs, io.signal)
    if (answer.outcome === 'accepted') logAccepted(session, answer)
    else log.error(`the deployment’s start is not recorded: ${answer.reason}`)
    if (io.signal.aborted && answer.outcome !== 'accepted') throw new Failure('undelivered', 'interrupted')
    return printAnswer(session, answer)
  } finally {
    await reporter.close()
  }
}

const NOBODY_WATCHES =
  'nothing would watch the clock: started needs a relay (PAGERDUTY_RELAY_URL), a fleet (PAGERDUTY_FLEET), a spool ' +
  'that a relay or flush delivers (PAGERDUTY_SPOOL), or --suspended'

async function sendSuspendedAlert(session: Session): Promise<number> {
  const { io, config, log, identity } = session
  const { fields, choices } = config.event
  const nowIso = new Date().toISOString()
  const event = buildSuspended(eventInput({ fields, choices, build: config.build, identity, nowIso }))
  const addressed = await addressPosts(session, [event])
  if (config.dryRun) {
    printRequests(io, addressed)
    return 0
  }
  const exitCode = await reportDeliveries(session, await sendPosts(session, addressed))
  if (exitCode === 0)
    log.info('PagerDuty’s own rule has to hold this alert back: doctor --suspended checks it')
  return exitCode
}

function logAccepted({ config, log }: Session, answer: StartAnswer & { readonly outcome: 'accepted' }): void {
  const { dueAt, hasEnded, isOnDisk, watcher } = answer
  if (hasEnded) return log.info('the deployment has already ended, so nothing watches the clock for it')
  if (dueAt === undefined)
    return log.warn(
      'the deployment is recorded, but nothing watches the clock for it: add --within, such as --within 30m',
    )
  log.info(`the failure alert is triggered at ${dueAt}, unless an outcome is reported before`)
  if (!isOnDisk) log.warn(IN_MEMORY)
  if (watcher === 'spool') log[config.fleet === undefined ? 'info' : 'warn'](SPOOL_ALONE)
}

const IN_MEMORY = 'the relay has no spool, so it forgets this when it ends'
const SPOOL_ALONE = 'only a relay or flush that uses this spool watches the clock'

function printAnswer({ io, command, json }: Session, answer: StartAnswer): number {
  const exitCode =
    answer.outcome === 'accepted' ? 0 : EXIT_CODE[answer.isConfiguration ? 'config' : answer.outcome]
  if (!json) return exitCode
  const more =
    answer.outcome === 'accepted'
      ? { due_at: answer.dueAt, kept: answer.isOnDisk ? 'on disk' : 'in memory' }
      : { status: answer.status, reason: answer.reason }
  const line = { command, outcome: answer.outcome, exit_code: exitCode, events: [], ...more }
  io.writeOut(`${JSON.stringify(line)}\n`)
  return exitCode
}
