import { Failure } from '../core/failure.ts'
import { closeWindows, openWindow, windowMarker, type WindowSubject } from '../rest/maintenance.ts'
import { findServiceId, needService } from '../rest/service.ts'
import { withRestClient } from './rest-access.ts'
import type { Session } from '../cli/session.ts'

/** How long the command waits for the window to open; with `--strict`, until the deadline. */
const OPENING_MS = 5000
/** How long the report waits for the window to end. */
const ENDING_MS = 10_000
/** The same after a signal: everything has to fit into the 10 s that Docker leaves before SIGKILL. */
const CANCELLED_ENDING_MS = 1500

/** A service that is, or may be, in maintenance. */
export interface Maintenance {
  /** Ends it; a failure to do so is only logged. */
  readonly end: (isCancelled: boolean) => Promise<void>
}

/**
 * `run --maintenance`: puts the service into maintenance. The window always has an end, in case this process is killed. If
 * it is not known whether the window was opened in time, it is ended anyway.
 * @throws Failure if it cannot be opened
 */
export async function openMaintenance(session: Session, isStrict: boolean): Promise<Maintenance> {
  const { config, log } = session
  const { token, service } = needService('--maintenance', config.rest)
  const budgetMs = isStrict ? config.delivery.deadlineMs : Math.min(OPENING_MS, config.delivery.deadlineMs)
  const deadlineAtMs = performance.now() + budgetMs
  const nowMs = Date.now()
  const endAtMs = nowMs + (config.run.maintenanceMs ?? 0)
  const times = { nowMs, endAtMs, description: 'Deployment in progress' }
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
      return { end }
    },
    { deadlineAtMs: () => deadlineAtMs },
  )
}

/** The dedup key of the deployment's alert identifies the deployment; without one, its source does. */
function markerOf({ identity: { dedupKey, source } }: Session): string {
  return windowMarker((dedupKey ?? source).value)
}

async function endMaintenance(session: Session, subject: WindowSubject, isCancelled: boolean): Promise<void> {
  const { token } = session.config.rest
  if (token === undefined) return
  const deadlineAtMs = performance.now() + (isCancelled ? CANCELLED_ENDING_MS : ENDING_MS)
  try {
    await withRestClient(session, token, (client) => closeWindows(client, subject), {
      deadlineAtMs: () => deadlineAtMs,
      signal: new AbortController().signal, // the window is ended even after a signal
    })
    session.log.info('maintenance window ended')
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    session.log.warn(`${error.message}; the maintenance window ends on its own`)
  }
}
