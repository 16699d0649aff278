import type { Session } from '../cli/session.ts'
import { eventInput } from '../core/build-event.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { buildSuspended } from '../core/started.ts'
import { addressPosts, printRequests, reportDeliveries, sendPosts } from './send-posts.ts'
import type { ToldStart } from './start-teller.ts'
import { openStartTeller } from './tell-start.ts'

/**
 * `started`: tells the relay, or the spool, that a deployment has begun and must end. With `--suspended` it tells
 * PagerDuty instead, whose own rule holds the alert back.
 * @returns the exit status
 * @throws Failure of kind `usage` if nothing would watch the time
 */
export async function started(session: Session): Promise<number> {
  const { io, config, log } = session
  if (config.started.isSuspended) return await tellPagerDuty(session)
  const teller = await openStartTeller(session, new Date().toISOString())
  if (teller === undefined) throw new Failure('usage', NOBODY_WATCHES)
  try {
    if (config.dryRun) {
      io.writeOut(`${JSON.stringify(teller.describe())}\n`)
      return 0
    }
    const told = await teller.tell(0, config.delivery.deadlineMs, io.signal)
    if (told.outcome === 'accepted') logAccepted(session, told)
    else log.error(`the deployment’s start is not recorded: ${told.reason}`)
    if (io.signal.aborted && told.outcome !== 'accepted') throw new Failure('undelivered', 'interrupted')
    return report(session, told)
  } finally {
    await teller.close()
  }
}

const NOBODY_WATCHES =
  'nothing would watch the time: started needs a relay (PAGERDUTY_RELAY_URL), a fleet (PAGERDUTY_FLEET), a spool ' +
  'that a relay or flush delivers (PAGERDUTY_SPOOL), or --suspended'

async function tellPagerDuty(session: Session): Promise<number> {
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

function logAccepted({ config, log }: Session, told: ToldStart & { readonly outcome: 'accepted' }): void {
  const { dueAt, hasEnded, isOnDisk, watcher } = told
  if (hasEnded) return log.info('the deployment has ended already, so nothing watches its time')
  if (dueAt === undefined)
    return log.warn(
      'the deployment is recorded, but nothing watches its time: add --within, such as --within 30m',
    )
  log.info(`the failure alert is triggered at ${dueAt}, unless an outcome is reported before`)
  if (!isOnDisk) log.warn(IN_MEMORY)
  if (watcher === 'spool') log[config.fleet === undefined ? 'info' : 'warn'](SPOOL_ALONE)
}

const IN_MEMORY = 'the relay has no spool, so it forgets this when it ends'
const SPOOL_ALONE = 'only a relay or flush that uses this spool watches the time'

function report({ io, command, json }: Session, told: ToldStart): number {
  const exitCode = told.outcome === 'accepted' ? 0 : EXIT_CODE[told.isConfiguration ? 'config' : told.outcome]
  if (!json) return exitCode
  const more =
    told.outcome === 'accepted'
      ? { due_at: told.dueAt, kept: told.isOnDisk ? 'on disk' : 'in memory' }
      : { status: told.status, reason: told.reason }
  const line = { command, outcome: told.outcome, exit_code: exitCode, events: [], ...more }
  io.writeOut(`${JSON.stringify(line)}\n`)
  return exitCode
}
