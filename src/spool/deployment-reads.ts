import type { DatabaseSync } from 'node:sqlite'
import type { Deployment } from '../core/deployment.ts'
import { isObject } from '../core/json.ts'
import { SEARCHED, type DeploymentEntry, type DeploymentLog, type DeploymentQuery } from './deployment-log.ts'
import { addLowerCase } from './lower-case.ts'
import { readable } from './numbers.ts'
import { GIVEN_LIMIT, prepareAll } from './statements.ts'

/** The reading side of the table of deployments. */
export interface DeploymentReads {
  /** Each with what is known about events that the spool no longer has; the state of the others is stored elsewhere. */
  deployments(query: DeploymentQuery): DeploymentEntry[]
  deploymentsEndedSince: DeploymentLog['endedSince']
}

/** A deployment as it is recorded. */
export interface StoredDeployment extends DeploymentEntry {
  /** The id of its latest event, or an id of its own: outcomes are ordered by it, since it depends on nobody's clock. */
  readonly toldId?: number
}

/** A row as far as entries are made of it. */
export interface DeploymentRow {
  readonly id: number
  readonly event_ids: string
  readonly record: string
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

/** An index has all that this reads. */
const CURRENT = `id IN (SELECT max(id) FROM deployments WHERE state <> 'cancelled' GROUP BY identity
  UNION ALL SELECT max(id) FROM deployments WHERE state = 'success' GROUP BY identity)`

/** What a search looks at, in one text. */
const TEXTS = `concat_ws(char(10), ${SEARCHED.map((name) => `record ->> '$.${name}'`).join(', ')})`

function prepareReads(db: DatabaseSync): DeploymentReads {
  addLowerCase(db)
  const prepare = (isAmong: string): ReturnType<typeof prepareAll<DeploymentRow>> =>
    prepareAll(
      db,
      `SELECT id, event_ids, record FROM deployments
       WHERE id < ?1 AND ${isAmong} AND (?2 IS NULL OR environment = ?2) AND (?3 IS NULL OR repository = ?3)
       AND (?4 IS NULL OR state = ?4) AND (?5 IS NULL OR identity = ?5)
       AND coalesce(ended_at, started_at, 0) >= ?6 AND (?7 IS NULL OR instr(lower_case(${TEXTS}), ?7) > 0)
       ORDER BY id DESC ${GIVEN_LIMIT.replace('?', '?8')}`,
    )
  const all = prepare('TRUE')
  const current = prepare(CURRENT)
  const ended = prepareAll<FigureRow>(
    db,
    `SELECT identity, state, ${readable('started_at')} AS startedAtMs, ${readable('ended_at')} AS endedAtMs
     FROM deployments WHERE ended_at >= ?`,
  )
  return {
    deployments: ({
      environment,
      repository,
      outcome,
      identity,
      text,
      isCurrent,
      sinceMs,
      beforeId,
      limit,
    }) =>
      (isCurrent === true ? current : all)(
        beforeId ?? Number.MAX_SAFE_INTEGER,
        ...[environment, repository, outcome, identity].map((value) => value ?? null),
        Math.round(sinceMs ?? Number.MIN_SAFE_INTEGER),
        text?.toLowerCase() ?? null,
        limit,
      ).flatMap((row) => toDeploymentEntry(row) ?? []),
    deploymentsEndedSince: (sinceMs) =>
      ended(Math.round(sinceMs)).map(({ startedAtMs, ...row }) => ({
        ...row,
        ...(startedAtMs !== null && { startedAtMs }),
      })),
  }
}

/** Undefined for a row that the disk has altered: the list continues without it. */
export function toDeploymentEntry({
  id,
  event_ids: eventIds,
  record,
}: DeploymentRow): StoredDeployment | undefined {
  try {
    const [ids, deployment] = [eventIds, record].map((text) => JSON.parse(text) as unknown)
    if (!isObject(deployment) || !Array.isArray(ids)) return undefined
    return { ...(deployment as unknown as Deployment), id, eventIds: ids.filter(Number.isSafeInteger) }
  } catch {
    return undefined
  }
}
