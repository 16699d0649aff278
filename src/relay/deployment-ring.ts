import { deploymentOf, isSameRun, mergeDeployments, type Deployment } from '../core/deployment.ts'
import type { Event } from '../core/event.ts'
import {
  OVERLAPPING,
  SEARCHED,
  type DeploymentEntry,
  type DeploymentLog,
  type DeploymentQuery,
  type Told,
} from '../spool/deployment-log.ts'

/** Deployments that a relay without a spool remembers. */
const KEPT = 500

/** Remembers deployments for as long as the process lives. */
export interface DeploymentRing extends DeploymentLog {
  /**
   * Remembers the deployment that an event reports, if there is one.
   * @param told whether PagerDuty has the event
   */
  readonly record: (event: Event, told: Told, nowMs: number) => void
}

/** Remembers nothing yet. */
export function createDeploymentRing(): DeploymentRing {
  const entries: DeploymentEntry[] = []
  let nextId = 1
  return {
    record: (event, told, nowMs) => {
      const deployment = deploymentOf(event, nowMs)
      if (deployment === undefined) return
      const index = findRun(entries, deployment)
      const known = entries[index]
      if (known === undefined) entries.push({ ...deployment, id: nextId++, eventIds: [], told })
      else entries[index] = { ...known, ...mergeDeployments(known, deployment), told }
      if (entries.length > KEPT) entries.shift()
    },
    list: (query) =>
      (query.isCurrent === true ? currentOf(entries) : entries)
        .filter((entry) => matches(entry, query))
        .toReversed()
        .slice(0, query.limit),
    endedSince: (sinceMs) =>
      entries.filter(({ endedAtMs }) => endedAtMs !== undefined && endedAtMs >= sinceMs),
  }
}

/** The index of the entry of the same run; -1 if there is none. */
function findRun(entries: readonly DeploymentEntry[], told: Deployment): number {
  const latest = entries
    .flatMap(({ identity }, index) => (identity === told.identity ? [index] : []))
    .slice(-OVERLAPPING)
  return latest.toReversed().find((index) => isSameRun(entries[index] ?? told, told)) ?? -1
}

/** See `DeploymentQuery`. */
function currentOf(entries: readonly DeploymentEntry[]): DeploymentEntry[] {
  const latest = Map.groupBy(entries, ({ identity }) => identity)
  return entries.filter((entry) => {
    const ofIdentity = latest.get(entry.identity) ?? []
    return (
      entry === ofIdentity.findLast(({ state }) => state !== 'cancelled') ||
      entry === ofIdentity.findLast(({ state }) => state === 'success')
    )
  })
}

function matches(entry: DeploymentEntry, query: DeploymentQuery): boolean {
  const { environment, repository, outcome, identity, sinceMs = -Infinity, beforeId = Infinity } = query
  const text = query.text?.toLowerCase() ?? ''
  const isWanted = <T>(value: T, wanted: T | undefined): boolean => wanted === undefined || value === wanted
  return (
    isWanted(entry.environment, environment) &&
    isWanted(entry.repository, repository) &&
    isWanted(entry.state, outcome) &&
    isWanted(entry.identity, identity) &&
    SEARCHED.map((name) => entry[name])
      .join('\n')
      .toLowerCase()
      .includes(text) &&
    (entry.endedAtMs ?? entry.startedAtMs ?? 0) >= sinceMs &&
    entry.id < beforeId
  )
}
