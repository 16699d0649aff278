import type { CommandLine } from '../cli/args.ts'
import type { Session } from '../cli/session.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { needService } from '../rest/service.ts'
import { incidentsToJson, type ServiceIncidents } from './describe-incidents.ts'
import { createIncidentLook } from './incident-look.ts'
import { logStart, deploymentOverNow, noteIncidents, observe, logUnknown } from './observe.ts'

/** Exit status if a new incident opens. */
const NEW_INCIDENT = 1

/**
 * `watch`: looks for new incidents of the service after a deployment. If one opens, it says which, notes the deployment on
 * it with `--note`, and runs the rollback, if one is given.
 * @returns 0 if none opens, 1 if one does; if PagerDuty cannot be reached, 0 with a warning, or 75 with `--strict`
 * @throws Failure of kind `config` if no token or no service is set
 */
export async function watch(session: Session, { commandLine = [] }: CommandLine): Promise<number> {
  const { io, config } = session
  const { forMs } = config.watch
  const input = deploymentOverNow(session)
  const { token, service } = needService('watch', config.rest)
  const lookOnce = createIncidentLook(session, service, logStart(session, forMs))
  const found = await observe(session, { token, lookOnce, forMs })
  // A deployment does not fail because PagerDuty cannot be reached, unless the user says so.
  if (found instanceof Failure) {
    logUnknown(session, found)
    const exitCode = config.run.strict ? EXIT_CODE.undelivered : 0
    return report(session, { outcome: 'unknown', exitCode, reason: found.message })
  }
  const { incidents } = found
  if (incidents.length === 0) return report(session, { outcome: 'clear', exitCode: 0, found })
  const [program, ...args] = commandLine
  if (config.note) await noteIncidents(session, found, { input, isRolledBack: program !== undefined })
  if (io.signal.aborted) throw new Failure('undelivered', 'interrupted')
  if (program === undefined) return report(session, { outcome: 'incident', exitCode: NEW_INCIDENT, found })
  const { rollBack } = await import('./roll-back.ts')
  const { exitCode, interruption } = await rollBack(session, [program, ...args], { input, incidents })
  const rollback = { exit_code: exitCode }
  return report(session, { outcome: 'incident', exitCode: interruption ?? NEW_INCIDENT, found, rollback })
}

interface Result {
  readonly outcome: 'clear' | 'incident' | 'unknown'
  readonly exitCode: number
  readonly found?: ServiceIncidents
  readonly rollback?: { readonly exit_code: number }
  readonly reason?: string
}

function report({ io, json }: Session, { outcome, exitCode, found, ...rest }: Result): number {
  const line = { command: 'watch', outcome, exit_code: exitCode, ...incidentsToJson(found ?? {}), ...rest }
  if (json) io.writeOut(`${JSON.stringify(line)}\n`)
  return exitCode
}
