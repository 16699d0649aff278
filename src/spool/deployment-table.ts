import type { DatabaseSync } from 'node:sqlite'
import { isSameRun, mergeDeployments, type Deployment } from '../core/deployment.ts'
import { isObject } from '../core/json.ts'
import {
  OVERLAPPING,
  type DeploymentEntry,
  type DeploymentLog,
  type DeploymentQuery,
  type Told,
} from './deployment-log.ts'
import { readable } from './numbers.ts'
import type { NewRow } from './rows.ts'
import type { EventStatus } from './spool.ts'
import { GIVEN_LIMIT, prepareAll, prepareGet, prepareRun } from './statements.ts'

/**
 * Deployments, kept longer than the events that reported them. `record` is a `Deployment` as JSON; the fields that lists are
 * filtered by are also columns. Older spools lack this table.
 */
export const DEPLOYMENT_TABLE = `
CREATE TABLE IF NOT EXISTS deployments (
  id INTEGER PRIMARY KEY, identity TEXT NOT NULL, state TEXT NOT NULL, repository TEXT, environment TEXT,
  started_at INTEGER, ended_at INTEGER, event_ids TEXT NOT NULL, record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS deployments_identity ON deployments (identity, id);
`

/** Deployments that are kept. */
const KEPT = 10_000
/** How many more there may be before the oldest are removed, all at once. */
const KEPT_SLACK = 500
/** Event ids of one deployment that are kept: a failing one may be told again and again. */
const MAX_EVENT_IDS = 50

interface Row {
  readonly id: number
  readonly event_ids: string
  readonly record: string
}

/** Writes down the deployment that the rows of one request report, under the ids that they got. */
export type RecordDeployments = (rows: readonly NewRow[], ids: readonly number[]) => void

/** Prepares the statements of recording. */
export function createRecordDeployments(db: DatabaseSync): RecordDeployments {
  const latest = prepareAll<Row>(
    db,
    `SELECT id, event_ids, record FROM deployments WHERE identity = ? ORDER BY id DESC ${GIVEN_LIMIT}`,
  )
  const write = prepareRun(db, 'INSERT OR REPLACE INTO deployments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const makeRoom = createMakeRoom(db)
  const record = (told: Deployment, eventIds: readonly number[]): void => {
    const known = latest(told.identity, OVERLAPPING)
      .flatMap((row) => toEntry(row) ?? [])
      .find((entry) => isSameRun(entry, told))
    if (known === undefined) makeRoom()
    const { id, eventIds: earlier, ...deployment } = known ?? { id: eventIds[0] ?? 0, eventIds: [] }
    const merged = 'identity' in deployment ? mergeDeployments(deployment, told) : told
    const { identity, state, repository = null, environment = null, startedAtMs, endedAtMs } = merged
    const allIds = [...new Set([...earlier, ...eventIds])].slice(-MAX_EVENT_IDS)
    const times = [startedAtMs, endedAtMs].map((timeMs) => (timeMs === undefined ? null : Math.round(timeMs)))
    const [startedAt = null, endedAt = null] = times
    const columns = [id, identity, state, repository, environment, startedAt, endedAt]
    write(...columns, JSON.stringify(allIds), JSON.stringify(merged))
  }
  return (rows, ids) => {
    const isTelling = rows.map(({ deployment }) => deployment !== undefined)
    if (!isTelling.includes(true)) return
    // The resolve that comes with a success belongs to it too.
    let others = ids.filter((_id, index) => isTelling[index] === false)
    for (const [index, { deployment }] of rows.entries()) {
      const id = ids[index]
      if (deployment === undefined || id === undefined) continue
      record(deployment, [id, ...others])
      others = []
    }
  }
}

/** Removes the oldest deployments whenever so many new ones have come. */
function createMakeRoom(db: DatabaseSync): () => void {
  const count = prepareGet<{ count: number }>(db, 'SELECT count(*) AS count FROM deployments')
  const removeOldest = prepareRun(
    db,
    `DELETE FROM deployments WHERE id IN (SELECT id FROM deployments ORDER BY id ${GIVEN_LIMIT})`,
  )
  let added = 0
  return () => {
    if (added++ % KEPT_SLACK !== 0) return
    removeOldest(Math.max(0, (count()?.count ?? 0) - KEPT))
  }
}

/** What the states of a deployment's events say together; undefined if it has none. */
export function toldOf(statuses: readonly EventStatus[]): Told | undefined {
  if (statuses.includes('dead')) return 'dead'
  if (statuses.includes('pending')) return 'waiting'
  return statuses.length > 0 ? 'delivered' : undefined
}

type StoredEntry = Omit<DeploymentEntry, 'told'>

/** The reading side of the table, as far as the table knows. */
export interface DeploymentReads {
  deployments(query: DeploymentQuery): StoredEntry[]
  deploymentsEndedSince: DeploymentLog['endedSince']
}

/** Reads the table; there is nothing in a spool that does not have it yet and cannot be written. */
export function createDeploymentReads(db: DatabaseSync): DeploymentReads {
  let prepared: DeploymentReads | undefined
  const reads = (): DeploymentReads | undefined => {
    if (prepared === undefined && hasTable(db)) prepared = prepareReads(db)
    return prepared
  }
  return {
    deployments: (query) => reads()?.deployments(query) ?? [],
    deploymentsEndedSince: (sinceMs) => reads()?.deploymentsEndedSince(sinceMs) ?? [],
  }
}

function hasTable(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'deployments'").get() !== undefined
}

interface FigureRow {
  readonly identity: string
  readonly state: Deployment['state']
  readonly startedAtMs: number | null
  readonly endedAtMs: number
}

function prepareReads(db: DatabaseSync): DeploymentReads {
  const page = prepareAll<Row>(
    db,
    `SELECT id, event_ids, record FROM deployments
     WHERE id < ? AND (? IS NULL OR environment = ?) AND (? IS NULL OR repository = ?) AND (? IS NULL OR state = ?)
     AND coalesce(ended_at, started_at, 0) >= ? ORDER BY id DESC ${GIVEN_LIMIT}`,
  )
  const ended = prepareAll<FigureRow>(
    db,
    `SELECT identity, state, ${readable('started_at')} AS startedAtMs, ${readable('ended_at')} AS endedAtMs
     FROM deployments WHERE ended_at >= ?`,
  )
  return {
    deployments: ({ environment, repository, outcome, sinceMs, beforeId, limit }) => {
      const chosen = [environment, repository, outcome].flatMap((value) => [value ?? null, value ?? null])
      const since = Math.round(sinceMs ?? Number.MIN_SAFE_INTEGER)
      return page(beforeId ?? Number.MAX_SAFE_INTEGER, ...chosen, since, limit).flatMap(
        (row) => toEntry(row) ?? [],
      )
    },
    deploymentsEndedSince: (sinceMs) =>
      ended(Math.round(sinceMs)).map(({ startedAtMs, ...row }) => ({
        ...row,
        ...(startedAtMs !== null && { startedAtMs }),
      })),
  }
}

/** Undefined for a row that the disk has altered: the list goes on without it. */
function toEntry({ id, event_ids: eventIds, record }: Row): StoredEntry | undefined {
  try {
    const [ids, deployment] = [eventIds, record].map((text) => JSON.parse(text) as unknown)
    if (!isObject(deployment) || !Array.isArray(ids)) return undefined
    return { ...(deployment as unknown as Deployment), id, eventIds: ids.filter(Number.isSafeInteger) }
  } catch {
    return undefined
  }
}
