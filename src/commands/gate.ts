import type { Io } from '../cli/session.ts'
import type { Config } from '../config/load.ts'
import type { Build } from '../core/build.ts'
import { formatMs } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import type { RestClient } from '../rest/client.ts'
import { listOpenIncidents } from '../rest/incidents.ts'
import { describeOnCalls, listOnCalls } from '../rest/on-call.ts'
import { describeService, type Service } from '../rest/resources.ts'
import { findService, needService } from '../rest/service.ts'
import {
  describeIncidents,
  incidentsToJson,
  ofUrgency,
  warnIfMuted,
  type ServiceIncidents,
} from './describe-incidents.ts'
import { poll } from './poll.ts'
import { withRestClient, type RestContext } from './rest-access.ts'

/** Exit status of a closed gate. */
const BLOCKED = 1

/** What decides whether the gate is open. */
interface GateState extends ServiceIncidents {
  /** Who is on call, or `nobody`; undefined if that was not asked. */
  readonly onCall?: string
}

interface GateContext extends RestContext {
  readonly io: Pick<Io, 'signal' | 'startedAtMs' | 'writeOut'>
  readonly config: Pick<Config, 'build' | 'delivery' | 'gate' | 'rest'>
  readonly json: boolean
}

/**
 * `gate`: checks that the service has no open incidents, and with `--on-call` that somebody is on call for it. Waits for that
 * if it was asked to.
 * @returns 0 if so, or a rollback may pass; 1 if not
 * @throws Failure if that is not known: no answer does not mean that the gate is open
 */
export async function gate(context: GateContext): Promise<number> {
  const { io, config, log } = context
  const { allowRollback, isRollback, waitMs = 0 } = config.gate
  const reason = allowRollback ? rollbackReason(config.build, isRollback) : undefined
  if (reason !== undefined) {
    log.info(`gate: this deployment is a rollback (${reason}) and may pass`)
    return report(context, 'rollback')
  }
  const { token, service: choice } = needService('gate', config.rest)
  const endAtMs = performance.now() + waitMs
  const onWait = (result: GateState | Failure, leftMs: number): void => {
    const seen = result instanceof Failure ? result.message : describeState(result)[0]?.line
    log.info(`${seen}; waiting, ${formatMs(leftMs)} left`)
  }
  const state = await withRestClient(
    context,
    token,
    async (client) =>
      await poll({
        lookOnce: async () => await readState(client, await findService(client, choice), context),
        isEnough: isClear,
        waitMs,
        endAtMs,
        onWait,
        signal: io.signal,
      }),
    { deadlineAtMs: () => performance.now() + config.delivery.deadlineMs },
  )
  if (state instanceof Failure) throw state
  for (const { line, blocks } of describeState(state)) {
    if (blocks) log.error(line)
    else log.info(line)
  }
  return report(context, isClear(state) ? 'clear' : 'blocked', state)
}

async function readState(
  client: RestClient,
  service: Service,
  { config, log }: GateContext,
): Promise<GateState> {
  warnIfMuted('gate', service, log)
  const [incidents, onCalls] = await Promise.all([
    listOpenIncidents(client, service.id),
    config.gate.needsOnCall ? listOnCalls(client, service) : undefined,
  ])
  return {
    service,
    incidents: ofUrgency(incidents, config.gate.urgency),
    ...(onCalls && { onCall: describeOnCalls(onCalls, Date.now()) ?? NOBODY }),
  }
}

const NOBODY = 'nobody'

function isClear({ incidents, onCall }: GateState): boolean {
  return incidents.length === 0 && onCall !== NOBODY
}

/** The state in lines, anything that blocks first. */
function describeState(state: GateState): { line: string; blocks: boolean }[] {
  const { service, incidents, onCall } = state
  const found = describeIncidents('gate', 'open', state).map((line) => ({
    line,
    blocks: incidents.length > 0,
  }))
  if (onCall === undefined) return found
  const who = { line: `gate: on call for ${describeService(service)}: ${onCall}`, blocks: onCall === NOBODY }
  return who.blocks && incidents.length === 0 ? [who, ...found] : [...found, who]
}

function report(
  { io, json }: GateContext,
  outcome: 'clear' | 'blocked' | 'rollback',
  state?: GateState,
): number {
  const exitCode = outcome === 'blocked' ? BLOCKED : 0
  const onCall = state?.onCall
  const line = {
    command: 'gate',
    outcome,
    exit_code: exitCode,
    ...incidentsToJson(state ?? {}),
    on_call: onCall,
  }
  if (json) io.writeOut(`${JSON.stringify(line)}\n`)
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
