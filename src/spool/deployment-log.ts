import { isoTime } from '../core/iso-time.ts'
import type { DeploymentState } from '../core/deployment-state.ts'
import type { Deployment } from '../core/deployment.ts'
import type { EndedDeployment } from '../core/deployment-figures.ts'

/** Whether PagerDuty has the events of a deployment: all of them, not all yet, or one that was refused or given up. */
export type DeliveryState = 'delivered' | 'waiting' | 'dead'

/** A deployment as it is listed. */
export interface DeploymentEntry extends Deployment {
  /** Later deployments have larger ids. */
  readonly id: number
  /** The ids of its events in the spool; none in a relay that keeps no events. */
  readonly eventIds: readonly number[]
  /** Absent if there was nothing to send to PagerDuty yet. */
  readonly told?: DeliveryState
  /** When its alert is triggered if it has not ended, in milliseconds since 1970; absent if that never happens. */
  readonly dueAtMs?: number
}

/** Which deployments are wanted, the newest first. */
export interface DeploymentQuery {
  readonly environment?: string
  readonly repository?: string
  readonly outcome?: DeploymentState
  readonly identity?: string
  /** A part of what people know a deployment by, in either case: see `SEARCHED`. */
  readonly text?: string
  /** Only what is current: of each identity the latest that was not cancelled, and the latest success. */
  readonly isCurrent?: boolean
  /** Only those that ended (or began, if they still run) at this time or later, in milliseconds since 1970. */
  readonly sinceMs?: number
  /** Only those with smaller ids: the last one of the page before. */
  readonly beforeId?: number
  readonly limit: number
}

/** The deployments that a relay or a spool remembers. */
export interface DeploymentLog {
  /** Throws a `Failure` if the disk fails. */
  list(query: DeploymentQuery): DeploymentEntry[]
  /**
   * What figures are counted from: deployments that ended at this time or later, of those that ended at the same time the
   * earlier ones first; none if the disk fails.
   */
  endedSince(sinceMs: number): EndedDeployment[]
  /**
   * Records a deployment whose events do not pass through this log, or before they do; atomically across processes. Rejects
   * with a `Failure` if that is not possible.
   * @param told whether PagerDuty has its events; absent if none was sent yet
   * @returns how many failures in a row there are now: 0 if it did not fail. One that is noted again counts once
   */
  note(deployment: Deployment, told?: DeliveryState): Promise<number>
}

/** The same, from wherever deployments are kept. */
export interface DeploymentStore {
  list(query: DeploymentQuery): DeploymentEntry[] | Promise<DeploymentEntry[]>
  endedSince(sinceMs: number): EndedDeployment[] | Promise<EndedDeployment[]>
  note(deployment: Deployment, told?: DeliveryState): Promise<number>
}

/** Deployments on one page of a list. */
export const DEPLOYMENTS_PAGE = 200

/** One page of a list as routes and `--json` show it; `next` is `before` of the next page, absent on the last one. */
export async function readDeploymentsPage(
  store: Pick<DeploymentStore, 'list'>,
  query: Omit<DeploymentQuery, 'limit'>,
): Promise<{ readonly deployments: readonly Record<string, unknown>[]; readonly next?: number }> {
  const found = await store.list({ ...query, limit: DEPLOYMENTS_PAGE + 1 })
  const page = found.slice(0, DEPLOYMENTS_PAGE)
  const last = found.length > page.length ? page.at(-1) : undefined
  return { deployments: page.map(describeDeployment), ...(last !== undefined && { next: last.id }) }
}

/** How many of the latest deployments of one identity an event may belong to: as many builds may overlap. */
export const OVERLAPPING = 10

/** How many of the latest deployments of one identity are looked through for failures in a row. */
export const COUNTED = 200

/** The texts of a deployment that a search looks at. */
export const SEARCHED = [
  'repository',
  'environment',
  'step',
  'branch',
  'commit',
  'message',
  'committer',
  'buildId',
] as const satisfies readonly (keyof Deployment)[]

/** A deployment in the form in which routes and `--json` show it: names in snake case, ISO 8601 times. */
export function describeDeployment(entry: DeploymentEntry): Record<string, unknown> {
  const { startedAtMs, endedAtMs } = entry
  const isDurationKnown = startedAtMs !== undefined && endedAtMs !== undefined
  return {
    id: entry.id,
    identity: entry.identity,
    outcome: entry.state,
    repository: entry.repository,
    environment: entry.environment,
    step: entry.step,
    branch: entry.branch,
    commit: entry.commit,
    message: entry.message,
    committer: entry.committer,
    ci: entry.ci,
    build_id: entry.buildId,
    build_url: entry.buildUrl,
    commit_url: entry.commitUrl,
    compare_url: entry.compareUrl,
    rollback: entry.rollback,
    overdue: entry.isOverdue,
    started_at: isoTime(startedAtMs),
    due_at: isoTime(entry.dueAtMs),
    ended_at: isoTime(endedAtMs),
    duration_seconds: isDurationKnown ? Math.max(0, endedAtMs - startedAtMs) / 1000 : undefined,
    told: entry.told,
    event_ids: entry.eventIds,
  }
}
