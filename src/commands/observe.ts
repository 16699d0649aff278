import { eventInput, buildChange, type EventInput } from '../core/build-event.ts'
import { noteAboutDeployment } from '../core/suspects.ts'
import { formatMs } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import { createMask } from '../core/mask-event.ts'
import type { Session } from '../cli/session.ts'
import type { Log } from '../log.ts'
import { describeService, type Service } from '../rest/resources.ts'
import type { Secret } from '../core/secret.ts'
import { describeIncidents, type ServiceIncidents } from './describe-incidents.ts'
import type { IncidentLook } from './incident-look.ts'
import { poll } from './poll.ts'
import { withRestClient } from './rest-access.ts'

/** How often a line is printed: CIs end builds that print nothing (Codeship Pro: after 15 min). */
const LINE_EVERY_MS = 5 * 60_000

/** How long to look, and how. */
export interface Observation {
  readonly token: Secret
  readonly lookOnce: IncidentLook
  readonly forMs: number
}

/**
 * Looks at the service until a new incident opens or the time is over, and logs what it found.
 * @returns the last look, or why it failed
 * @throws Failure if a signal interrupts it
 */
export async function observe(
  session: Session,
  { token, lookOnce, forMs }: Observation,
): Promise<ServiceIncidents | Failure> {
  const { io, config, log } = session
  const endAtMs = performance.now() + forMs
  try {
    const found = await withRestClient(
      session,
      token,
      async (client) =>
        await poll({
          lookOnce: async () => await lookOnce(client),
          isEnough: ({ incidents }) => incidents.length > 0,
          waitMs: forMs,
          endAtMs,
          onWait: createProgress(forMs, log),
          signal: io.signal,
        }),
      { deadlineAtMs: () => performance.now() + config.delivery.deadlineMs },
    )
    if (!(found instanceof Failure)) logIncidents(found, forMs, log)
    return found
  } catch (error) {
    if (error instanceof Failure && !io.signal.aborted) return error
    throw error
  }
}

/** Returns a function that logs what is looked for, to call once the service is known. */
export function logStart({ log }: Session, forMs: number): (service: Service) => void {
  return (service) =>
    log.info(`watch: looking for new incidents on ${describeService(service)} for ${formatMs(forMs)}`)
}

/** Logs every look that failed, and every five minutes that nothing has happened. */
export function createProgress(
  forMs: number,
  log: Pick<Log, 'info' | 'warn'>,
): (result: ServiceIncidents | Failure, leftMs: number) => void {
  let nextLineMs = LINE_EVERY_MS
  return (result, leftMs) => {
    const left = `${formatMs(leftMs)} left`
    if (result instanceof Failure) return log.warn(`${result.message}; asking again, ${left}`)
    if (forMs - leftMs < nextLineMs) return
    nextLineMs += LINE_EVERY_MS
    log.info(`watch: no new incident on ${describeService(result.service)} so far, ${left}`)
  }
}

function logIncidents(found: ServiceIncidents, forMs: number, log: Pick<Log, 'info' | 'error'>): void {
  const [title = '', ...incidents] = describeIncidents('watch', 'new', found)
  if (incidents.length === 0) return log.info(`${title} in ${formatMs(forMs)}`)
  for (const line of [title, ...incidents]) log.error(line)
}

/** The input of a deployment that has just ended. A note shows this time, however late the incident opens. */
export function deploymentOverNow({ config, identity }: Session): EventInput {
  const { fields, choices } = config.event
  return eventInput({ fields, choices, build: config.build, identity, nowIso: new Date().toISOString() })
}

/** Writes what was deployed on the incidents that were found. */
export async function noteIncidents(
  session: Session,
  { incidents }: ServiceIncidents,
  { input, isRolledBack = false }: { input: EventInput; isRolledBack?: boolean },
): Promise<void> {
  const { noteOnNewIncidents } = await import('./incident-note.ts')
  const ids = incidents.flatMap(({ id }) => (id === undefined ? [] : [id]))
  const deployment = buildChange(input, { outcome: 'success' })
  const masked = createMask(session.config.delivery.secrets)(deployment)
  await noteOnNewIncidents(session, ids, noteAboutDeployment(masked, isRolledBack))
}

/** Logs that it is not known whether a new incident opened. */
export function logUnknown({ log, config }: Session, { message }: Failure): void {
  const text = `watch: cannot tell whether a new incident opened: ${message}`
  if (config.run.strict) log.error(text)
  else log.warn(text)
}
