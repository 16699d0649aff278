import type { DatabaseSync } from 'node:sqlite'
import { isSameRun, mergeDeployments, type Deployment } from '../core/deployment.ts'
import { OVERLAPPING, type Told } from './deployment-log.ts'
import { toDeploymentEntry, type DeploymentRow } from './deployment-reads.ts'
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
CREATE INDEX IF NOT EXISTS deployments_current ON deployments (identity, state, id);
`

/** Deployments that are kept. */
const KEPT = 10_000
/** How many more there may be before the oldest are removed, all at once. */
const KEPT_SLACK = 500
/** Event ids of one deployment that are kept: a failing one may be told again and again. */
const MAX_EVENT_IDS = 50

/** Writes down the deployment that the rows of one request report, under the ids that they got. */
export type RecordDeployments = (rows: readonly NewRow[], ids: readonly number[]) => void

/** Prepares the statements of recording. */
export function createRecordDeployments(db: DatabaseSync): RecordDeployments {
  const latest = prepareAll<DeploymentRow>(
    db,
    `SELECT id, event_ids, record FROM deployments WHERE identity = ? ORDER BY id DESC ${GIVEN_LIMIT}`,
  )
  const write = prepareRun(db, 'INSERT OR REPLACE INTO deployments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const makeRoom = createMakeRoom(db)
  const record = (told: Deployment, eventIds: readonly number[]): void => {
    const known = latest(told.identity, OVERLAPPING)
      .flatMap((row) => toDeploymentEntry(row) ?? [])
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
