import type { DatabaseSync } from 'node:sqlite'
import { isSameRun, mergeDeployments, type Deployment } from '../core/deployment.ts'
import { countFailures } from '../core/failure-streak.ts'
import { COUNTED, OVERLAPPING, type DeliveryState } from './deployment-log.ts'
import { toDeploymentEntry, type DeploymentRow } from './deployment-reads.ts'
import type { NewRow } from './rows.ts'
import type { EventStatus } from './spool.ts'
import { GIVEN_LIMIT, prepareAll, prepareGet, prepareRun } from './statements.ts'

/**
 * Deployments, kept longer than the events that reported them. `record` is a `Deployment` as JSON, with `told`, what is known
 * about events that the spool no longer has, and `toldId`; the fields that lists are filtered by are also columns.
 * `deployment_events` finds the deployment of an event. Older spools lack these tables.
 */
export const DEPLOYMENT_TABLE = `
CREATE TABLE IF NOT EXISTS deployments (
  id INTEGER PRIMARY KEY, identity TEXT NOT NULL, state TEXT NOT NULL, repository TEXT, environment TEXT,
  started_at INTEGER, ended_at INTEGER, event_ids TEXT NOT NULL, record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS deployments_identity ON deployments (identity, id);
CREATE INDEX IF NOT EXISTS deployments_current ON deployments (identity, state, id);
CREATE TABLE IF NOT EXISTS deployment_events (event_id INTEGER PRIMARY KEY, deployment_id INTEGER NOT NULL) STRICT;
`

/** Deployments that are kept. */
const KEPT = 10_000
/** How many more there may be before the oldest are removed, all at once. */
const KEPT_SLACK = 500
/** Event ids of one deployment that are kept: a failing one may be reported again and again. */
const MAX_EVENT_IDS = 50

/** Records deployments. */
export interface RecordDeployments {
  /** The deployment that the rows of one request report, under the ids that they got. */
  readonly ofEvents: (rows: readonly NewRow[], ids: readonly number[]) => void
  /**
   * One that has begun.
   * @param newId gives the id of a deployment that was not known
   * @returns `ended` if its outcome has come before, or its time was over
   */
  readonly begun: (told: Deployment, newId: () => number) => 'running' | 'ended'
  /** See `DeploymentLog.note`. The id is one that nothing else has. */
  readonly noted: (toldId: number, deployment: Deployment, told?: DeliveryState) => number
}

/** Prepares the statements of recording. */
export function createRecordDeployments(db: DatabaseSync): RecordDeployments {
  const record = createRecord(db)
  const latest = prepareAll<Pick<Deployment, 'state'> & { toldId: number | null }>(
    db,
    `SELECT state, CASE WHEN json_valid(record) THEN record ->> '$.toldId' END AS toldId
     FROM deployments WHERE identity = ? ORDER BY id DESC ${GIVEN_LIMIT}`,
  )
  return {
    ofEvents: (rows, ids) => {
      const isTelling = rows.map(({ deployment }) => deployment !== undefined)
      if (!isTelling.includes(true)) return
      // The resolve that comes with a success belongs to it too.
      let others = ids.filter((_id, index) => isTelling[index] === false)
      for (const [index, { deployment }] of rows.entries()) {
        const id = ids[index]
        if (deployment === undefined || id === undefined) continue
        record(deployment, { toldId: id, eventIds: [id, ...others] })
        others = []
      }
    },
    begun: (deployment, newId) =>
      record(deployment, { toldId: newId(), eventIds: [] }).state === 'started' ? 'running' : 'ended',
    noted: (toldId, deployment, told) => {
      record(deployment, { toldId, eventIds: [], told })
      if (deployment.state !== 'failure') return 0
      const rows = latest(deployment.identity, COUNTED)
      const latestFirst = rows.toSorted((a, b) => Number(b.toldId) - Number(a.toldId))
      return countFailures(latestFirst.map(({ state }) => state))
    },
  }
}

interface Telling {
  /** Becomes the id of a deployment that was not known. */
  readonly toldId: number
  readonly eventIds: readonly number[]
  readonly told?: DeliveryState | undefined
}

function createRecord(db: DatabaseSync): (deployment: Deployment, telling: Telling) => Deployment {
  // Most of the latest deployments are other builds. Their text shows that, and parsing it would cost more than all the rest.
  const latest = prepareAll<DeploymentRow>(
    db,
    `SELECT * FROM (SELECT id, event_ids, record FROM deployments WHERE identity = ? ORDER BY id DESC ${GIVEN_LIMIT}) AS latest
     WHERE ?3 IS NULL OR instr(record, ?3) OR NOT instr(record, '"buildId":') ORDER BY id DESC`,
  )
  const write = prepareRun(db, 'INSERT OR REPLACE INTO deployments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const link = prepareRun(db, 'INSERT OR REPLACE INTO deployment_events VALUES (?, ?)')
  const makeRoom = createMakeRoom(db)
  return (reported, { toldId, eventIds, told }) => {
    const known = latest(reported.identity, OVERLAPPING, buildText(reported))
      .flatMap((row) => toDeploymentEntry(row) ?? [])
      .find((entry) => isSameRun(entry, reported))
    if (known === undefined) makeRoom()
    const { id, eventIds: earlier, told: before, ...deployment } = known ?? { id: toldId, eventIds: [] }
    const merged = 'identity' in deployment ? mergeDeployments(deployment, reported) : reported
    const { identity, state, repository = null, environment = null, startedAtMs, endedAtMs } = merged
    const allIds = [...new Set([...earlier, ...eventIds])].slice(-MAX_EVENT_IDS)
    const times = [startedAtMs, endedAtMs].map((timeMs) => (timeMs === undefined ? null : Math.round(timeMs)))
    const [startedAt = null, endedAt = null] = times
    const columns = [id, identity, state, repository, environment, startedAt, endedAt]
    const isOutcome = reported.state !== 'started' || known === undefined
    const stored = {
      ...merged,
      ...(isOutcome && { toldId }),
      told: before === 'dead' ? before : (told ?? before),
    }
    write(...columns, JSON.stringify(allIds), JSON.stringify(stored))
    for (const eventId of eventIds) link(eventId, id)
    return merged
  }
}

/** The build of a deployment as its record has it; null if it is not known. */
function buildText({ buildId }: Deployment): string | null {
  return buildId === undefined ? null : JSON.stringify({ buildId }).slice(1, -1)
}

/** Removes the oldest deployments once that many new ones were added. */
function createMakeRoom(db: DatabaseSync): () => void {
  const count = prepareGet<{ count: number }>(db, 'SELECT count(*) AS count FROM deployments')
  const removeOldest = prepareRun(
    db,
    `DELETE FROM deployments WHERE id IN (SELECT id FROM deployments ORDER BY id ${GIVEN_LIMIT})`,
  )
  // No event of a deployment has a smaller id than the deployment itself.
  const unlink = prepareRun(
    db,
    'DELETE FROM deployment_events WHERE event_id < (SELECT min(id) FROM deployments)',
  )
  let added = 0
  return () => {
    if (added++ % KEPT_SLACK !== 0) return
    removeOldest(Math.max(0, (count()?.count ?? 0) - KEPT))
    unlink()
  }
}

/** Records that deployments have a dead event that is about to be removed, so that it does not count as delivered. */
export interface GiveUp {
  one(eventId: number): void
  oldest(count: number): void
}

/** Prepares the statements of giving up. */
export function createGiveUp(db: DatabaseSync): GiveUp {
  const prepare = (eventIds: string): ((value: number) => number) =>
    prepareRun(
      db,
      `UPDATE deployments SET record = json_set(record, '$.told', 'dead') WHERE json_valid(record)
       AND id IN (SELECT deployment_id FROM deployment_events WHERE event_id IN (${eventIds}))`,
    )
  const one = prepare('SELECT id FROM dead WHERE id = ?')
  const oldest = prepare(`SELECT id FROM dead ORDER BY id ${GIVEN_LIMIT}`)
  return { one: (eventId) => void one(eventId), oldest: (count) => void oldest(count) }
}

/**
 * What the states of a deployment's events say together; undefined if it has none.
 * @param earlier what is known about events that no longer exist
 */
export function toldOf(statuses: readonly EventStatus[], earlier?: DeliveryState): DeliveryState | undefined {
  if (statuses.includes('dead') || earlier === 'dead') return 'dead'
  if (statuses.includes('pending')) return 'waiting'
  return statuses.length > 0 ? 'delivered' : earlier
}
