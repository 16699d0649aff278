import { isSameRun, mergeDeployments, type Deployment } from '../core/deployment.ts'
import type { EndedDeployment } from '../core/deployment-figures.ts'
import { isObject } from '../core/json.ts'
import { toldOf } from '../spool/deployment-table.ts'
import type { DeploymentEntry } from '../spool/deployment-log.ts'
import type { EventStatus } from '../spool/spool.ts'
import { placeholders } from './delivering.ts'
import type { EngineListing } from './engine-listing.ts'
import type { Lane } from './lane.ts'
import { storable } from './rows.ts'

/** Event ids of one deployment that are kept: a failing one may be told again and again. */
const MAX_EVENT_IDS = 50

interface Row {
  readonly id: number
  readonly event_ids: readonly number[]
  readonly record: string
}

interface ToldRow extends Row {
  readonly is_told: boolean
}

type Entry = Omit<DeploymentEntry, 'told'>

/**
 * The fleet's deployments. Reports of them are stored with the events, and merged when somebody asks, one at a time.
 */
export function createDeployments(lane: Lane): Pick<EngineListing, 'deployments' | 'deploymentsEndedSince'> {
  return {
    deployments: async ({ beforeId, environment, repository, outcome, sinceMs, limit }) => {
      await mergeTold(lane)
      const filters = [beforeId, environment, repository, outcome, sinceMs].map((value) => value ?? null)
      const text = 'SELECT * FROM pagerduty_alert.deployments($1, $2, $3, $4, $5, $6)'
      const rows = await lane.run<Row & { statuses: EventStatus[] }>(text, [...filters, limit])
      return rows.flatMap((row) => {
        const entry = toEntry(row)
        const told = toldOf(row.statuses)
        return entry === undefined ? [] : [{ ...entry, ...(told !== undefined && { told }) }]
      })
    },
    deploymentsEndedSince: async (sinceMs) => {
      await mergeTold(lane)
      const rows = await lane.run<EndedRow>('SELECT * FROM pagerduty_alert.ended_since($1)', [sinceMs])
      return rows.map(({ identity, state, started_at_ms: startedAtMs, ended_at_ms: endedAtMs }) => ({
        identity,
        state,
        endedAtMs,
        ...(startedAtMs !== null && { startedAtMs }),
      }))
    },
  }
}

interface EndedRow {
  readonly identity: string
  readonly state: EndedDeployment['state']
  readonly started_at_ms: number | null
  readonly ended_at_ms: number
}

/** Merges what was told since the last time, at most so much that one answer does not take long. */
async function mergeTold(lane: Lane): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const count = await lane.transact(async (run) => {
      const rows = await run<ToldRow>('SELECT * FROM pagerduty_alert.told_deployments()')
      const told = rows.filter(({ is_told: isTold }) => isTold)
      if (told.length === 0) return 0
      const changed = mergeRows(
        told,
        rows.filter(({ is_told: isTold }) => !isTold),
      )
      const values = [told.map(({ id }) => id), ...columnsOf(changed)]
      await run(`SELECT pagerduty_alert.merge_deployments(${placeholders(values)})`, values)
      return told.length
    })
    if (count < TOLD_AT_ONCE) return
  }
}

/** As many as `told_deployments` returns. */
const TOLD_AT_ONCE = 100
const MAX_ROUNDS = 20

/** The deployments that are new or changed after these were told. */
function mergeRows(told: readonly Row[], known: readonly Row[]): Entry[] {
  const entries = known.flatMap((row) => toEntry(row) ?? []).toSorted((a, b) => b.id - a.id)
  const changed = new Map<number, Entry>()
  for (const row of told) {
    const entry = toEntry(row)
    if (entry === undefined) continue
    const index = entries.findIndex((one) => isSameRun(one, entry))
    const before = entries[index]
    const merged = before === undefined ? entry : mergeEntries(before, entry)
    if (before === undefined) entries.unshift(merged)
    else entries[index] = merged
    changed.set(merged.id, merged)
  }
  return [...changed.values()]
}

function mergeEntries(known: Entry, told: Entry): Entry {
  const eventIds = [...new Set([...known.eventIds, ...told.eventIds])].slice(-MAX_EVENT_IDS)
  return { ...mergeDeployments(deploymentOf(known), deploymentOf(told)), id: known.id, eventIds }
}

function deploymentOf(entry: Entry): Deployment {
  const { id: _id, eventIds: _eventIds, ...deployment } = entry
  return deployment
}

function columnsOf(entries: readonly Entry[]): unknown[][] {
  return [
    entries.map(({ id }) => id),
    entries.map(({ identity }) => storable(identity)),
    entries.map(({ state }) => state),
    entries.map(({ repository }) => storable(repository ?? null)),
    entries.map(({ environment }) => storable(environment ?? null)),
    entries.map(({ startedAtMs }) => startedAtMs ?? null),
    entries.map(({ endedAtMs }) => endedAtMs ?? null),
    entries.map(({ eventIds }) => `{${eventIds.join(',')}}`),
    entries.map((entry) => JSON.stringify(deploymentOf(entry))),
  ]
}

/** Undefined for a row that somebody has altered: the list goes on without it. */
function toEntry({ id, event_ids: eventIds, record }: Row): Entry | undefined {
  try {
    const deployment = JSON.parse(record) as unknown
    return isObject(deployment) ? { ...(deployment as unknown as Deployment), id, eventIds } : undefined
  } catch {
    return undefined
  }
}
