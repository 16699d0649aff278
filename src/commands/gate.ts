import { setTimeout as sleep } from 'node:timers/promises'
import type { Build } from '../core/build.ts'
import { formatMs } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import { oneLine } from '../core/mask-secrets.ts'
import type { RestClient } from '../rest/client.ts'
import { ageInWords, listOpenIncidents } from '../rest/incidents.ts'
import { describeService, type Incident, type Service } from '../rest/resources.ts'
import { findService, needService } from '../rest/service.ts'
import { withRestClient } from './rest-access.ts'
import type { Session } from '../cli/session.ts'

/** Exit status of a closed gate. */
const BLOCKED = 1
/** How often to poll: often enough for a wait of a minute, seldom enough for the REST API's limits. */
const MAX_POLL_MS = 15_000
const MIN_POLL_MS = 500
const POLLS_A_WAIT = 10

/** The service and its open incidents at one moment. */
interface Finding {
  readonly service: Service
  readonly incidents: readonly Incident[]
}

/**
 * `gate`: checks that the service has no open incidents, and waits for that if it was asked to.
 * @returns 0 if there are none, or a rollback may pass; 1 if there are some
 * @throws Failure if that is not known: no answer does not mean that the gate is open
 */
export async function gate(session: Session): Promise<number> {
  const { config, log } = session
  const { allowRollback, isRollback, waitMs = 0 } = config.gate
  const reason = allowRollback ? rollbackReason(config.build, isRollback) : undefined
  if (reason !== undefined) {
    log.info(`gate: this deployment is a rollback (${reason}) and may pass`)
    return report(session, 'rollback')
  }
  const { token, service: choice } = needService('gate', config.rest)
  const giveUpAtMs = performance.now() + waitMs
  const finding = await withRestClient(
    session,
    token,
    async (client) =>
      await untilClear(
        session,
        giveUpAtMs,
        async () => await look(client, await findService(client, choice), session),
      ),
    { deadlineAtMs: () => performance.now() + config.delivery.deadlineMs },
  )
  for (const line of describeFinding(finding)) {
    if (finding.incidents.length > 0) log.error(line)
    else log.info(line)
  }
  return report(session, finding.incidents.length > 0 ? 'blocked' : 'clear', finding)
}

async function look(client: RestClient, service: Service, { config, log }: Session): Promise<Finding> {
  const { urgency } = config.gate
  if (service.status === 'maintenance' || service.status === 'disabled') {
    const state = service.status === 'disabled' ? 'disabled' : 'in maintenance'
    log.warn(`gate: ${describeService(service)} is ${state}, so nothing new becomes an incident`)
  }
  const incidents = await listOpenIncidents(client, service.id)
  // An incident without a readable urgency counts.
  const counted = incidents.filter(
    (incident) => urgency === undefined || (incident.urgency ?? urgency) === urgency,
  )
  return { service, incidents: counted }
}

/** Polls until nothing is open or the time is over. While there is time, a failed poll is followed by another. */
async function untilClear(
  { io, config, log }: Session,
  giveUpAtMs: number,
  lookOnce: () => Promise<Finding>,
): Promise<Finding> {
  const { waitMs = 0 } = config.gate
  const pollMs = Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, waitMs / POLLS_A_WAIT))
  for (;;) {
    const result = await lookOnce().catch(toTransientFailure)
    const leftMs = giveUpAtMs - performance.now()
    if (io.signal.aborted) throw new Failure('undelivered', 'interrupted')
    if (result instanceof Failure) {
      if (leftMs <= 0) throw result
    } else if (leftMs <= 0 || result.incidents.length === 0) return result
    const seen = result instanceof Failure ? result.message : describeFinding(result)[0]
    log.info(`${seen}; waiting, ${formatMs(leftMs)} left`)
    await sleep(Math.min(pollMs, leftMs), undefined, { signal: io.signal }).catch(() => undefined)
  }
}

/** A failure that may be temporary; any other is thrown again. */
function toTransientFailure(error: unknown): Failure {
  if (error instanceof Failure && error.kind === 'undelivered') return error
  throw error
}

function describeFinding({ service, incidents }: Finding): string[] {
  const count = incidents.length === 1 ? '1 open incident' : `${incidents.length} open incidents`
  const where = `on ${describeService(service)}`
  return [
    `gate: ${incidents.length === 0 ? 'no open incident' : count} ${where}`,
    ...incidents.map(describeIncident),
  ]
}

function describeIncident({
  id,
  title,
  summary,
  urgency,
  status,
  created_at: since,
  html_url: link,
}: Incident): string {
  const ageMs = Date.now() - Date.parse(since ?? '')
  const age = Number.isNaN(ageMs) ? '' : ` since ${since} (${ageInWords(ageMs)})`
  const what = oneLine(title ?? summary ?? id ?? 'an incident without a title')
  return oneLine(`  ${urgency ?? 'unknown'} urgency, ${status ?? 'open'}${age}: ${what} ${link ?? ''}`)
}

function report({ io, json }: Session, outcome: 'clear' | 'blocked' | 'rollback', finding?: Finding): number {
  const exitCode = outcome === 'blocked' ? BLOCKED : 0
  if (!json) return exitCode
  const { service, incidents = [] } = finding ?? {}
  const line = {
    command: 'gate',
    outcome,
    exit_code: exitCode,
    service: service && { id: service.id, name: service.name, status: service.status },
    incidents: incidents.map(({ id, title, urgency, status, created_at: since, html_url: link }) => ({
      id,
      title,
      urgency,
      status,
      since,
      link,
    })),
  }
  io.writeOut(`${JSON.stringify(line)}\n`)
  return exitCode
}

/** The subject that `git revert` writes. Reverting a revert brings the change back, and its subject starts differently. */
const REVERT = /^Revert "(?!Revert ")/

/**
 * Why a deployment counts as a rollback, or undefined if it does not: the pipeline says so, or the commit was made by
 * `git revert` (or by the Revert button of GitHub or GitLab). Redeploying an older commit cannot be recognized, so the
 * pipeline has to say it.
 * @param isRollback the value of `PAGERDUTY_ROLLBACK`
 */
export function rollbackReason(
  { commitMessage }: Build,
  isRollback: boolean | undefined,
): string | undefined {
  if (isRollback !== undefined) return isRollback ? 'PAGERDUTY_ROLLBACK says so' : undefined
  return REVERT.test(commitMessage?.trimStart() ?? '') ? 'its commit is a revert' : undefined
}
