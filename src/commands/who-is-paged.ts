import type { Session } from '../cli/session.ts'
import type { ServiceChoice } from '../config/rest.ts'
import { Failure } from '../core/failure.ts'
import { ordinal } from '../core/failure-streak.ts'
import type { RestClient } from '../rest/client.ts'
import { describeOnCalls, listOnCalls } from '../rest/on-call.ts'
import { describeService } from '../rest/resources.ts'
import { findService } from '../rest/service.ts'
import { withRestClient } from './rest-access.ts'

/** How long `failure` waits for the answer. Its alert is sent already, and this is for the reader of its log. */
const WAIT_MS = 3000

/**
 * Logs whom a failure pages, if there are a REST API token and a service to ask for. It changes nothing else: if it cannot be
 * found out, that is logged.
 * @param stop ends the question, without a message; default: it has three seconds
 */
export async function logWhoIsPaged(session: Session, stop?: AbortSignal): Promise<void> {
  const { io, config, log } = session
  const { token, service } = config.rest
  const { failureAs, after } = config.paging
  if (token === undefined || service === undefined || config.dryRun || failureAs === 'change') return
  const signal = stop === undefined ? io.signal : AbortSignal.any([io.signal, stop])
  const endAtMs = performance.now() + WAIT_MS
  const deadlineAtMs = (): number =>
    stop === undefined ? endAtMs : performance.now() + config.delivery.deadlineMs
  // The window that `run --maintenance` opens ends before the failure is reported.
  const ignoresMaintenance = config.run.maintenanceMs !== undefined
  try {
    const ask = async (client: RestClient): Promise<Paged> =>
      await whoIsPaged(client, service, ignoresMaintenance)
    const { line, isNobody } = await withRestClient(session, token, ask, { deadlineAtMs, signal })
    const from = after > 1 ? `, from the ${ordinal(after)} in a row` : ''
    if (isNobody) log.warn(line)
    else log.info(line + from)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const [reason = ''] = error.message.split('\n')
    if (!signal.aborted) log.info(`cannot tell whom a failure pages: ${reason}`)
  }
}

interface Paged {
  readonly line: string
  readonly isNobody: boolean
}

async function whoIsPaged(
  client: RestClient,
  choice: ServiceChoice,
  ignoresMaintenance: boolean,
): Promise<Paged> {
  const service = await findService(client, choice)
  const where = describeService(service)
  const nobody = (reason: string): Paged => ({
    line: `a failure pages nobody: ${reason}`,
    isNobody: true,
  })
  if (service.status === 'disabled') return nobody(`${where} is disabled`)
  if (service.status === 'maintenance' && !ignoresMaintenance) return nobody(`${where} is in maintenance`)
  const who = describeOnCalls(await listOnCalls(client, service), Date.now())
  if (who === undefined) return nobody(`nobody is on call for ${where}`)
  return { line: `a failure pages ${who}`, isNobody: false }
}
