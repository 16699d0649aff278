import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../cli/session.ts'
import { eventInput } from '../core/build-event.ts'
import { Failure } from '../core/failure.ts'
import { buildSuspended } from '../core/started.ts'
import { addressPosts, sendPosts } from './send-posts.ts'
import type { StartTeller, Watcher } from './start-teller.ts'
import { openStartTeller } from './tell-start.ts'

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
 * While a watched command runs, tells what watches its time that it has begun, and then that it is still alive. Whatever
 * goes wrong with that is logged once, and delays neither the command nor its report.
 * @param ended aborts when the command has ended
 */
export async function keepStarted(session: Session, start: CommandStart, ended: AbortSignal): Promise<void> {
  const { config, log } = session
  try {
    if (config.started.isSuspended) return await tellPagerDuty(session, start, ended)
    const teller = await openStartTeller(session, start.startedAt)
    if (teller === undefined) return log.warn(NOBODY_WATCHES)
    await keepTelling(session, { teller, start, ended })
    await teller.close()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.warn(`nothing watches the time of this command: ${error.message}`)
  }
}

const NOBODY_WATCHES =
  '--within has no effect: it needs a relay (PAGERDUTY_RELAY_URL), a fleet (PAGERDUTY_FLEET), or a spool that a relay or flush delivers'

const WATCHER = {
  relay: 'the relay watches the time of this command',
  fleet: 'the relays of the fleet watch the time of this command',
  spool: 'a relay or flush that uses this spool watches the time of this command',
} as const satisfies Record<Watcher, string>
const FORGETS = '; it has no spool, so it forgets that when it ends'

interface Keeping {
  readonly teller: StartTeller
  readonly start: CommandStart
  readonly ended: AbortSignal
}

async function keepTelling({ config, log }: Session, { teller, start, ended }: Keeping): Promise<void> {
  const { withinMs = 0 } = config.started
  const pauseMs = Math.max(LEAST_PAUSE_MS, Math.min(MOST_PAUSE_MS, withinMs / 3))
  let problem: string | undefined
  let isSaid = false
  while (!ended.aborted) {
    const told = await teller.tell(performance.now() - start.startedAtMs, pauseMs, ended)
    if (ended.aborted) return
    if (told.outcome !== 'accepted') {
      if (told.reason !== problem)
        log.warn(`nothing watches the time of this command now: ${told.reason}; trying again`)
      problem = told.reason
    } else if (!isSaid || problem !== undefined) {
      log.info(`--within: ${WATCHER[told.watcher]}${told.isOnDisk ? '' : FORGETS}`)
      isSaid = true
      problem = undefined
    }
    // Its time was over, so the alert is triggered; only the outcome changes anything now.
    if (told.outcome === 'accepted' && told.hasEnded) return
    await sleep(pauseMs, undefined, { signal: ended }).catch(() => undefined)
  }
}

async function tellPagerDuty(
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
    session.log.warn(`PagerDuty does not watch the time of this command: ${failed.reason ?? failed.outcome}`)
}
