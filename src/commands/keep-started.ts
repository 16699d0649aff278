import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../cli/session.ts'
import { eventInput } from '../core/build-event.ts'
import { Failure } from '../core/failure.ts'
import { buildSuspended } from '../core/started.ts'
import { addressPosts, sendPosts } from './send-posts.ts'
import type { StartReporter, Watcher } from './start-reporter.ts'
import { openStartReporter } from './open-start-reporter.ts'

/** When a watched command was started. */
export interface CommandStart {
  /** ISO 8601. */
  readonly startedAt: string
  /** On the scale of `performance.now()`. */
  readonly startedAtMs: number
}

const MOST_PAUSE_MS = 60_000
const LEAST_PAUSE_MS = 250

/**
 * While a watched command runs, reports to what watches the clock that it has begun, and then that it is still running. A
 * failure is logged once, and delays neither the command nor its report.
 * @param ended aborts when the command has ended
 */
export async function keepStarted(session: Session, start: CommandStart, ended: AbortSignal): Promise<void> {
  const { config, log } = session
  try {
    if (config.started.isSuspended) return await sendSuspendedAlert(session, start, ended)
    const reporter = await openStartReporter(session, start.startedAt)
    if (reporter === undefined) return log.warn(NOBODY_WATCHES)
    await keepReporting(session, { reporter, start, ended })
    await reporter.close()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.warn(`nothing watches the clock for this command: ${error.message}`)
  }
}

const NOBODY_WATCHES =
  '--within has no effect: it needs a relay (PAGERDUTY_RELAY_URL), a fleet (PAGERDUTY_FLEET), or a spool that a relay or flush delivers'

const WATCHER = {
  relay: 'the relay watches the clock for this command',
  fleet: 'the relays of the fleet watch the clock for this command',
  spool: 'a relay or flush that uses this spool watches the clock for this command',
} as const satisfies Record<Watcher, string>
const FORGETS = '; it has no spool, so it forgets that when it ends'

interface Keeping {
  readonly reporter: StartReporter
  readonly start: CommandStart
  readonly ended: AbortSignal
}

async function keepReporting({ config, log }: Session, { reporter, start, ended }: Keeping): Promise<void> {
  const { withinMs = 0 } = config.started
  const pauseMs = Math.max(LEAST_PAUSE_MS, Math.min(MOST_PAUSE_MS, withinMs / 3))
  let problem: string | undefined
  let isSaid = false
  while (!ended.aborted) {
    const answer = await reporter.report(performance.now() - start.startedAtMs, pauseMs, ended)
    if (ended.aborted) return
    if (answer.outcome !== 'accepted') {
      if (answer.reason !== problem)
        log.warn(`nothing watches the clock for this command now: ${answer.reason}; trying again`)
      problem = answer.reason
    } else if (!isSaid || problem !== undefined) {
      log.info(`--within: ${WATCHER[answer.watcher]}${answer.isOnDisk ? '' : FORGETS}`)
      isSaid = true
      problem = undefined
    }
    // Its time is over and its alert triggered, so only its outcome matters now.
    if (answer.outcome === 'accepted' && answer.hasEnded) return
    await sleep(pauseMs, undefined, { signal: ended }).catch(() => undefined)
  }
}

async function sendSuspendedAlert(
  session: Session,
  { startedAt }: CommandStart,
  ended: AbortSignal,
): Promise<void> {
  const { config, identity, io } = session
  const { fields, choices } = config.event
  const input = eventInput({
    fields,
    choices,
    build: config.build,
    identity,
    result: { startedAt },
    nowIso: startedAt,
  })
  const sending = { ...session, io: { ...io, startedAtMs: performance.now(), signal: ended } }
  const posts = await addressPosts(sending, [buildSuspended(input)])
  const deliveries = await sendPosts(sending, posts)
  const failed = deliveries.find(({ outcome }) => outcome === 'refused' || outcome === 'undelivered')
  if (failed !== undefined && !ended.aborted)
    session.log.warn(
      `PagerDuty does not watch the clock for this command: ${failed.reason ?? failed.outcome}`,
    )
}
