import type { CommandLine } from '../cli/args.ts'
import type { Session } from '../cli/session.ts'
import { buildChange, eventInput } from '../core/build-event.ts'
import { suspectNote } from '../core/build-rollback.ts'
import { formatMs } from '../core/duration.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { createMask } from '../core/mask-event.ts'
import type { Log } from '../log.ts'
import { describeService } from '../rest/resources.ts'
import { needService } from '../rest/service.ts'
import { describeFinding, findingToJson, type Finding } from './describe-incidents.ts'
import { createIncidentLook } from './incident-look.ts'
import { poll } from './poll.ts'
import { withRestClient } from './rest-access.ts'

/** Exit status if a new incident opens. */
const NEW_INCIDENT = 1
/** How often a line is printed: CIs end builds that print nothing (Codeship Pro: after 15 min). */
const LINE_EVERY_MS = 5 * 60_000

/**
 * `watch`: looks for new incidents of the service after a deployment. If one opens, it says which, notes the deployment on
 * it with `--note`, and runs the rollback, if one is given.
 * @returns 0 if none opens, 1 if one does; if PagerDuty cannot be asked, 0 with a warning, or 75 with `--strict`
 * @throws Failure of kind `config` if no token or no service is set
 */
export async function watch(session: Session, { commandLine = [] }: CommandLine): Promise<number> {
  const { io, config, log, identity } = session
  const { fields, choices } = config.event
  // The deployment is over now: the note says so, however late the incident opens.
  const nowIso = new Date().toISOString()
  const input = eventInput({ fields, choices, build: config.build, identity, nowIso })
  const finding = await observe(session)
  if (finding instanceof Failure) return cannotAsk(session, finding)
  const [title = '', ...incidents] = describeFinding('watch', 'new', finding)
  if (incidents.length === 0) {
    log.info(`${title} in ${formatMs(config.watch.forMs)}`)
    return report(session, { outcome: 'clear', exitCode: 0, finding })
  }
  for (const line of [title, ...incidents]) log.error(line)
  const [program, ...args] = commandLine
  if (config.note) {
    const { noteSuspicion } = await import('./incident-note.ts')
    const ids = finding.incidents.flatMap(({ id }) => (id === undefined ? [] : [id]))
    const deployment = buildChange(input, { outcome: 'success' })
    const masked = createMask(config.delivery.secrets)(deployment)
    await noteSuspicion(session, ids, suspectNote(masked, program !== undefined))
  }
  if (io.signal.aborted) throw new Failure('undelivered', 'interrupted')
  if (program === undefined) return report(session, { outcome: 'incident', exitCode: NEW_INCIDENT, finding })
  const { rollBack } = await import('./roll-back.ts')
  const { exitCode, interruption } = await rollBack(session, [program, ...args], {
    input,
    incidents: finding.incidents,
  })
  const rollback = { exit_code: exitCode }
  return report(session, { outcome: 'incident', exitCode: interruption ?? NEW_INCIDENT, finding, rollback })
}

/**
 * Looks at the service until a new incident opens or the time is over.
 * @returns the last look, or why it failed
 */
async function observe(session: Session): Promise<Finding | Failure> {
  const { io, config, log } = session
  const { token, service } = needService('watch', config.rest)
  const { forMs } = config.watch
  const endAtMs = performance.now() + forMs
  try {
    return await withRestClient(
      session,
      token,
      async (client) =>
        await poll({
          lookOnce: createIncidentLook(session, client, service),
          isEnough: ({ incidents }) => incidents.length > 0,
          waitMs: forMs,
          endAtMs,
          onWait: createProgress(forMs, log),
          signal: io.signal,
        }),
      { deadlineAtMs: () => performance.now() + config.delivery.deadlineMs },
    )
  } catch (error) {
    if (error instanceof Failure && !io.signal.aborted) return error
    throw error
  }
}

/** Logs every look that failed, and every five minutes that nothing has happened. */
export function createProgress(
  forMs: number,
  log: Pick<Log, 'info' | 'warn'>,
): (result: Finding | Failure, leftMs: number) => void {
  let nextLineMs = LINE_EVERY_MS
  return (result, leftMs) => {
    const left = `${formatMs(leftMs)} left`
    if (result instanceof Failure) return log.warn(`${result.message}; asking again, ${left}`)
    if (forMs - leftMs < nextLineMs) return
    nextLineMs += LINE_EVERY_MS
    log.info(`watch: no new incident on ${describeService(result.service)} so far, ${left}`)
  }
}

/** A deployment does not fail because PagerDuty cannot be reached, unless the user says so. */
function cannotAsk(session: Session, failure: Failure): number {
  const { config, log } = session
  const message = `watch: cannot tell whether a new incident opened: ${failure.message}`
  if (config.run.strict) log.error(message)
  else log.warn(message)
  const exitCode = config.run.strict ? EXIT_CODE.undelivered : 0
  return report(session, { outcome: 'unknown', exitCode, reason: failure.message })
}

interface Result {
  readonly outcome: 'clear' | 'incident' | 'unknown'
  readonly exitCode: number
  readonly finding?: Finding
  readonly rollback?: { readonly exit_code: number }
  readonly reason?: string
}

function report({ io, json }: Session, { outcome, exitCode, finding, ...rest }: Result): number {
  const line = { command: 'watch', outcome, exit_code: exitCode, ...findingToJson(finding ?? {}), ...rest }
  if (json) io.writeOut(`${JSON.stringify(line)}\n`)
  return exitCode
}
