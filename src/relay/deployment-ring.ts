import { deploymentOf, isSameRun, mergeDeployments, type Deployment } from '../core/deployment.ts'
import { countFailures } from '../core/failure-streak.ts'
import type { SpoolItem } from '../spool/spool.ts'
import {
  OVERLAPPING,
  SEARCHED,
  type DeploymentEntry,
  type DeploymentLog,
  type DeploymentQuery,
  type DeliveryState,
} from '../spool/deployment-log.ts'

/** Deployments that a relay without a spool remembers. */
const KEPT = 500

/** Remembers deployments for as long as the process lives. */
export interface DeploymentRing extends DeploymentLog {
  /** Remembers the deployment that the events of one request report, if they do. */
  readonly record: (sent: readonly SentItem[], nowMs: number) => void
  /**
   * Remembers one that has begun.
   * @param withinMs how long it may take from now on; undefined if as long as it likes
   * @returns false if its outcome has come before, or its time was over
   */
  readonly begin: (deployment: Deployment, withinMs: number | undefined) => boolean
}

/** An event that was sent with a key, and whether PagerDuty has it. */
export interface SentItem extends SpoolItem {
  readonly told: DeliveryState
}

interface Remembered {
  readonly deployment: Deployment
  readonly id: number
  /** The result of each event; one that is sent again replaces the earlier one. */
  readonly told: ReadonlyMap<string, DeliveryState>
  readonly dueAtMs: number | undefined
  /** Outcomes that were reported later have larger numbers. */
  readonly turn: number
}

/** Remembers nothing yet. */
export function createDeploymentRing(): DeploymentRing {
  const kept: Remembered[] = []
  let nextId = 1
  let turns = 0
  const remember = (
    deployment: Deployment,
    told: ReadonlyMap<string, DeliveryState>,
    dueAtMs?: number,
  ): Deployment => {
    const index = findRun(kept, deployment)
    const known = kept[index]
    const due = { dueAtMs: dueAtMs ?? known?.dueAtMs }
    const turn = known !== undefined && deployment.state === 'started' ? known.turn : ++turns
    const one =
      known === undefined
        ? { deployment, id: nextId++, told, turn, ...due }
        : {
            id: known.id,
            deployment: mergeDeployments(known.deployment, deployment),
            told: new Map([...known.told, ...told]),
            turn,
            ...due,
          }
    if (known === undefined) kept.push(one)
    else kept[index] = one
    if (kept.length > KEPT) kept.shift()
    return one.deployment
  }
  const entriesOf = ({ isCurrent }: DeploymentQuery): readonly DeploymentEntry[] => {
    const entries = kept.map(toEntry)
    return isCurrent === true ? currentOf(entries) : entries
  }
  return {
    record: (sent, nowMs) => {
      // The resolve that comes with a success belongs to it too.
      const told = new Map(sent.map((item) => [nameOf(item), item.told]))
      for (const { event } of sent) {
        const deployment = deploymentOf(event, nowMs)
        if (deployment !== undefined) remember(deployment, told)
      }
    },
    begin: (deployment, withinMs) => {
      const dueAtMs = withinMs === undefined ? undefined : Date.now() + withinMs
      return remember(deployment, new Map(), dueAtMs).state === 'started'
    },
    note: (deployment, told) => {
      remember(deployment, new Map(told === undefined ? [] : [['note', told]]))
      if (deployment.state !== 'failure') return Promise.resolve(0)
      return Promise.resolve(failuresOf(kept, deployment))
    },
    list: (query) =>
      entriesOf(query)
        .filter((entry) => matches(entry, query))
        .toReversed()
        .slice(0, query.limit),
    endedSince: (sinceMs) =>
      kept
        .map(({ deployment }) => deployment)
        .filter(({ endedAtMs }) => endedAtMs !== undefined && endedAtMs >= sinceMs),
  }
}

/** How many failures in a row the deployments of an identity end with. */
function failuresOf(kept: readonly Remembered[], { identity }: Deployment): number {
  const latestFirst = kept
    .filter(({ deployment }) => deployment.identity === identity)
    .toSorted((a, b) => b.turn - a.turn)
  return countFailures(latestFirst.map(({ deployment: { state } }) => state))
}

function nameOf({ event: { kind, body }, key }: SpoolItem): string {
  return [kind, body.event_action, key.kind === 'own' ? key.key.reveal() : key.name].join(' ')
}

function toEntry({ deployment, id, told, dueAtMs }: Remembered): DeploymentEntry {
  const each = [...told.values()]
  return {
    ...deployment,
    id,
    eventIds: [],
    ...(each.length > 0 && { told: each.includes('dead') ? 'dead' : 'delivered' }),
    ...(dueAtMs !== undefined && deployment.state === 'started' && { dueAtMs }),
  }
}

/** The index of the same run; -1 if there is none. */
function findRun(kept: readonly Remembered[], reported: Deployment): number {
  const latest = kept
    .flatMap(({ deployment: { identity } }, index) => (identity === reported.identity ? [index] : []))
    .slice(-OVERLAPPING)
  return latest.toReversed().find((index) => isSameRun(kept[index]?.deployment ?? reported, reported)) ?? -1
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
