import { EXIT_CODE, Failure } from '../core/failure.ts'
import { identify } from '../core/identity.ts'
import type { Log } from '../log.ts'
import { closeWindows, openWindow, windowMarker, type WindowSubject } from '../rest/maintenance.ts'
import { findServiceId, needService } from '../rest/service.ts'
import { failureLine } from '../cli/report-failure.ts'
import { withRestClient } from './rest-access.ts'
import { run, type RunOptions } from './run.ts'
import type { Session } from '../cli/session.ts'

/** How long the command waits for the window; with `--strict` as long as the deadline allows. */
const OPENING_MS = 5000
/** How long the report waits for the window to be ended. */
const ENDING_MS = 10_000
/** The same after a signal: it has to fit, with the rest, into the 10 s that Docker leaves before SIGKILL. */
const CANCELLED_ENDING_MS = 1500

/**
 * `run --maintenance`: the service is in maintenance while the command runs. The window always has an end, for the case
 * that this process is killed, and is ended before the outcome is reported: while it is open PagerDuty drops events.
 * Without `--strict` the command runs also where the window cannot be opened.
 * @returns the exit status
 */
export async function runInMaintenance(options: RunOptions): Promise<number> {
  const { io, isStrict } = options
  const log = await options.openLog()
  const begun = await begin(options, log)
  if (io.signal.aborted) {
    if (!(begun instanceof Failure)) await begun.end(true)
    return Number(io.signal.reason)
  }
  if (begun instanceof Failure) {
    log.error(`no maintenance window: ${begun.message}`)
    if (isStrict) {
      const exitCode = EXIT_CODE[begun.kind === 'usage' ? 'config' : begun.kind]
      if (options.json) io.writeOut(failureLine('run', begun, exitCode))
      return exitCode
    }
  }
  const openLog = (): Promise<Log> => Promise.resolve(log)
  if (begun instanceof Failure) return await run({ ...options, openLog })
  const loadSession = (): Promise<Session> => Promise.resolve(begun.session)
  return await run({ ...options, openLog, loadSession, beforeReport: begun.end })
}

/** A service that is, or may be, in maintenance. */
interface Maintenance {
  readonly session: Session
  /** Ends it; where that fails it is only warned of. */
  readonly end: (isCancelled: boolean) => Promise<void>
}

async function begin(options: RunOptions, log: Log): Promise<Maintenance | Failure> {
  try {
    return await open(await options.loadSession(log, options.io.signal), options.isStrict)
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

/** Opens the window. Where nobody knows whether it was opened in time, it is ended all the same. */
async function open(session: Session, isStrict: boolean): Promise<Maintenance> {
  const { config, log } = session
  const { token, service } = needService('--maintenance', config.rest)
  const budgetMs = isStrict ? config.delivery.deadlineMs : Math.min(OPENING_MS, config.delivery.deadlineMs)
  const deadlineAtMs = performance.now() + budgetMs
  const nowMs = Date.now()
  const endAtMs = nowMs + (config.run.maintenanceMs ?? 0)
  const times = { nowMs, endAtMs, description: 'Deployment under way' }
  return await withRestClient(
    session,
    token,
    async (client) => {
      const subject = { serviceId: await findServiceId(client, service), marker: markerOf(session) }
      const end = (isCancelled: boolean): Promise<void> => endMaintenance(session, subject, isCancelled)
      try {
        const how = await openWindow(client, subject, times)
        log.info(`maintenance window ${how}, until ${new Date(endAtMs).toISOString()} at the latest`)
      } catch (error) {
        if (isStrict) await end(true)
        if (isStrict || !(error instanceof Failure) || error.kind !== 'undelivered') throw error
        log.error(`no maintenance window: ${error.message}`)
      }
      return { session, end }
    },
    { deadlineAtMs: () => deadlineAtMs },
  )
}

/** The alert of a deployment names it as well as anything; without one its source does. */
function markerOf({ io, config }: Session): string {
  const { dedupKey, source } = identify(config.event.choices, config.build, io.hostname)
  return windowMarker((dedupKey ?? source).value)
}

async function endMaintenance(session: Session, subject: WindowSubject, isCancelled: boolean): Promise<void> {
  const { token } = session.config.rest
  if (token === undefined) return
  const deadlineAtMs = performance.now() + (isCancelled ? CANCELLED_ENDING_MS : ENDING_MS)
  try {
    await withRestClient(session, token, (client) => closeWindows(client, subject), {
      deadlineAtMs: () => deadlineAtMs,
      signal: new AbortController().signal, // what was opened is ended whatever signals came
    })
    session.log.info('maintenance window ended')
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    session.log.warn(`${error.message}; the maintenance window ends by itself`)
  }
}
