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
import { describeFinding, findingToJson, ofUrgency, warnIfMuted, type Finding } from './describe-incidents.ts'
import { poll } from './poll.ts'
import { withRestClient, type RestContext } from './rest-access.ts'

/** Exit status of a closed gate. */
const BLOCKED = 1

/** What the gate looks at. */
interface Look extends Finding {
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
  const onWait = (result: Look | Failure, leftMs: number): void => {
    const seen = result instanceof Failure ? result.message : describeLook(result)[0]?.line
    log.info(`${seen}; waiting, ${formatMs(leftMs)} left`)
  }
  const finding = await withRestClient(
    context,
    token,
    async (client) =>
      await poll({
        lookOnce: async () => await look(client, await findService(client, choice), context),
        isEnough: isClear,
        waitMs,
        endAtMs,
        onWait,
        signal: io.signal,
      }),
    { deadlineAtMs: () => performance.now() + config.delivery.deadlineMs },
  )
  if (finding instanceof Failure) throw finding
  for (const { line, blocks } of describeLook(finding)) {
    if (blocks) log.error(line)
    else log.info(line)
  }
  return report(context, isClear(finding) ? 'clear' : 'blocked', finding)
}

async function look(client: RestClient, service: Service, { config, log }: GateContext): Promise<Look> {
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

function isClear({ incidents, onCall }: Look): boolean {
  return incidents.length === 0 && onCall !== NOBODY
}

/** What was seen, with anything that blocks first. */
function describeLook(seen: Look): { line: string; blocks: boolean }[] {
  const { service, incidents, onCall } = seen
  const found = describeFinding('gate', 'open', seen).map((line) => ({ line, blocks: incidents.length > 0 }))
  if (onCall === undefined) return found
  const who = { line: `gate: on call for ${describeService(service)}: ${onCall}`, blocks: onCall === NOBODY }
  return who.blocks && incidents.length === 0 ? [who, ...found] : [...found, who]
}

function report({ io, json }: GateContext, outcome: 'clear' | 'blocked' | 'rollback', seen?: Look): number {
  const exitCode = outcome === 'blocked' ? BLOCKED : 0
  const onCall = seen?.onCall
  const line = {
    command: 'gate',
    outcome,
    exit_code: exitCode,
    ...findingToJson(seen ?? {}),
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
