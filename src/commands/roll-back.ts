import { constants } from 'node:os'
import { logDeliveries } from '../cli/report.ts'
import type { Session } from '../cli/session.ts'

import type { EventInput } from '../core/build-event.ts'
import { buildRollback } from '../core/build-rollback.ts'
import { Failure } from '../core/failure.ts'
import { createMask } from '../core/mask-event.ts'
import type { CommandResult } from '../core/summary.ts'
import type { Incident } from '../rest/resources.ts'
import { supervise, type Ending } from '../run/supervise.ts'
import { titleOf } from './describe-incidents.ts'
import { withReportDeadline } from './report-deadline.ts'
import { addressPosts, sendPosts } from './send-posts.ts'
import { watchSignals } from './watch-signals.ts'

/** What a rollback is about. */
interface Suspicion {
  /** The deployment, as its events are built. */
  readonly input: EventInput
  readonly incidents: readonly Incident[]
}

/** How a rollback ended. */
interface RolledBack {
  /** The exit status of its command. */
  readonly exitCode: number
  /** The exit status for a signal that arrived while the command ran. */
  readonly interruption: number | undefined
}

/**
 * Runs the command of a rollback with our streams and `PAGERDUTY_ROLLBACK=true`, by which `gate` lets it pass, and sends a
 * change event that says how it ended. If that event cannot be sent, this is only logged.
 */
export async function rollBack(
  session: Session,
  argv: readonly [string, ...string[]],
  { input, incidents }: Suspicion,
): Promise<RolledBack> {
  const { io, log } = session
  log.info(`watch: running the rollback ${argv[0]}`)
  const startedAtMs = performance.now()
  const env = { ...io.env, PAGERDUTY_ROLLBACK: 'true' }
  let received: NodeJS.Signals | undefined
  const takeSignals: typeof io.takeSignals = (listener, further) =>
    io.takeSignals((signal) => {
      received = signal
      listener(signal)
    }, further)
  const signals = watchSignals({ ...io, takeSignals }, (signal) => command.forward(signal))
  const command = supervise({ argv, tail: undefined, onOutput: () => undefined, kill: io.kill, env })
  const ending = await command.ended
  signals.commandEnded()
  const isCancelled = signals.isCancelled(ending)
  if (isCancelled) await command.sweep()
  logEnding(session, argv[0], ending)
  const durationSeconds = Math.round(performance.now() - startedAtMs) / 1000
  const reporting = {
    ...withReportDeadline({ ...session, io: { ...io, signal: signals.stopReporting } }, isCancelled),
    json: false, // `watch` prints its one line at the end
  }
  const result = { ...resultOf(ending), durationSeconds }
  const nowIso = new Date().toISOString()
  await reportRollback(reporting, { input: { ...input, result, nowIso }, incidents })
  const interruption = isCancelled && received ? 128 + constants.signals[received] : undefined
  return { exitCode: ending.exitCode, interruption }
}

function logEnding({ log }: Session, program: string, ending: Ending): void {
  if (ending.kind === 'not started') log.error(`${program}: ${ending.reason}`)
  if (ending.exitCode === 0) log.info('watch: the rollback has ended')
  else log.error(`watch: the rollback has failed with exit status ${ending.exitCode}`)
}

function resultOf(ending: Ending): CommandResult {
  if (ending.kind === 'killed') return { signal: ending.signal }
  return ending.exitCode === 0 ? {} : { exitCode: ending.exitCode }
}

async function reportRollback(session: Session, { input, incidents }: Suspicion): Promise<void> {
  const suspects = incidents.map((incident) => ({
    id: incident.id ?? titleOf(incident),
    title: titleOf(incident),
    href: incident.html_url,
  }))
  const event = buildRollback(input, suspects)
  try {
    const masked = createMask(session.config.delivery.secrets)(event)
    logDeliveries(session, await sendPosts(session, await addressPosts(session, [masked])))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    session.log.error(`the rollback is not reported: ${error.message}`)
  }
}
