import type { Session } from '../cli/session.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { describeService } from '../rest/resources.ts'
import { needService } from '../rest/service.ts'
import { incidentsToJson } from './describe-incidents.ts'
import { createIncidentLook } from './incident-look.ts'
import { deploymentOverNow, noteIncidents, observe, logUnknown } from './observe.ts'
import { withRestClient } from './rest-access.ts'

/** Exit status if a new incident opens, with `--strict`. */
const NEW_INCIDENT = 1

/** The result of a watch. */
export interface RunWatchResult {
  /** The exit status with `--strict`; 0 if nothing opened. */
  readonly exitCode: number
  /** Adds the result to the one line of `--json`, whose exit status is known only now. */
  readonly addTo: (line: string, exitCode: number) => string
}

/** What looks for incidents while a command runs, and after it. */
export interface RunWatch {
  /** Looks for new incidents once the command has succeeded. Incidents that opened while it ran are new. */
  readonly afterSuccess: (session: Session) => Promise<RunWatchResult>
}

/**
 * `run --watch`: notes which incidents are open while the command begins, so that none that opens during the deployment is
 * overlooked.
 * @throws Failure of kind `config` if no token or no service is set
 */
export function startRunWatch(session: Session, forMs: number): RunWatch {
  const { config, log } = session
  const { token, service } = needService('--watch', config.rest)
  const lookOnce = createIncidentLook(session, service, (found) =>
    log.info(`watch: incidents that open on ${describeService(found)} from now on are new`),
  )
  const deadlineAtMs = performance.now() + config.delivery.timeoutMs
  const baseline = withRestClient(session, token, lookOnce, { deadlineAtMs: () => deadlineAtMs }).catch(
    (error: unknown) => {
      if (!(error instanceof Failure)) throw error
    },
  )
  return {
    afterSuccess: async (reported) => {
      const input = deploymentOverNow(reported)
      await baseline
      const found = await observe(reported, { token, lookOnce, forMs })
      if (found instanceof Failure) {
        logUnknown(reported, found)
        return unknownResult(found, EXIT_CODE.undelivered)
      }
      const isClear = found.incidents.length === 0
      if (!isClear && config.note) await noteIncidents(reported, found, { input })
      const watch = { outcome: isClear ? 'clear' : 'incident', ...incidentsToJson(found) }
      return { exitCode: isClear ? 0 : NEW_INCIDENT, addTo: addition(watch) }
    },
  }
}

/** Whether a new incident opened is not known. */
export function unknownResult({ message }: Failure, exitCode: number): RunWatchResult {
  return { exitCode, addTo: addition({ outcome: 'unknown', reason: message }) }
}

function addition(watch: object): RunWatchResult['addTo'] {
  return (line, exitCode) =>
    `${JSON.stringify({ ...(JSON.parse(line) as object), exit_code: exitCode, watch })}\n`
}
