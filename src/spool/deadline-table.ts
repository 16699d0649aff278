import type { DatabaseSync } from 'node:sqlite'
import type { Deployment } from '../core/deployment.ts'
import type { BootTime } from './boot-clock.ts'
import type { DeadlineCounts } from './deadlines.ts'
import { readable } from './numbers.ts'
import type { NewRow } from './rows.ts'
import { prepareGet, prepareRun } from './statements.ts'

/**
 * Deployments that must end in time. `due_at` is by the spool's clock, `due_uptime` by the kernel's since the boot in
 * `boot`; `span` is the time from the beginning to the deadline, and `within` that from the last sign of life. `key_ids`
 * is a list of ids, as JSON. The index has all that the time left is computed from, so that looking for the next deadline
 * does not read the events. Older spools lack both.
 */
export const DEADLINE_TABLE = `
CREATE TABLE IF NOT EXISTS deadlines (
  dedup_key TEXT NOT NULL, build TEXT NOT NULL, identity TEXT NOT NULL, span INTEGER NOT NULL, within INTEGER NOT NULL,
  due_at INTEGER NOT NULL, boot TEXT, due_uptime INTEGER NOT NULL, key_ids TEXT NOT NULL, event TEXT NOT NULL,
  PRIMARY KEY (dedup_key, build)
) STRICT;
CREATE INDEX IF NOT EXISTS deadlines_identity ON deadlines (identity, build, boot, due_uptime, due_at, within);
`

/** SQL for the keys that deadlines need, as a list of ids. */
export const DEADLINE_KEY_IDS = `SELECT value FROM deadlines,
  json_each(CASE WHEN json_valid(key_ids) THEN key_ids ELSE '[]' END)`

/** The time by both clocks. */
export interface SpoolTime {
  readonly nowMs: number
  readonly boot: BootTime | undefined
}

/** How long until a deadline, in SQL; its parameters are `timeParameters`. */
export const LEFT = `CASE WHEN boot = ?1 THEN ${readable('due_uptime')} - ?2
  ELSE min(${readable('due_at')} - ?3, ${readable('within')}) END`

/** The parameters of `LEFT`. */
export function timeParameters({ nowMs, boot }: SpoolTime): [string | null, number, number] {
  return [boot?.id ?? null, boot?.uptimeMs ?? 0, Math.round(nowMs)]
}

/** Forgets the deadlines of the deployments whose outcomes are among the rows. */
export type EndDeadlines = (rows: readonly NewRow[]) => void

/** Prepares the statement for ending. */
export function createEndDeadlines(db: DatabaseSync): EndDeadlines {
  const end = prepareRun(
    db,
    "DELETE FROM deadlines WHERE dedup_key = ?1 AND (build = ?2 OR build = '' OR ?2 = '')",
  )
  return (rows) => {
    for (const { deployment, alertKey } of rows) {
      if (deployment === undefined || alertKey === undefined || deployment.state === 'started') continue
      end(alertKey, deployment.buildId ?? '')
    }
  }
}

/** Forgets the deadline of a deployment whose outcome PagerDuty got without the spool. */
export function createEndNoted(db: DatabaseSync): (deployment: Deployment) => void {
  const end = prepareRun(
    db,
    "DELETE FROM deadlines WHERE identity = ?1 AND (build = ?2 OR build = '' OR ?2 = '')",
  )
  return ({ identity, state, buildId = '' }) => {
    if (state !== 'started') end(identity, buildId)
  }
}

/** The reading side of the table. */
export interface DeadlineReads {
  nextDeadlineInMs(time: SpoolTime): number | undefined
  /** How long a deployment has left, by what its record is known by; negative if its time is over. */
  deadlineInMs(identity: string, build: string, time: SpoolTime): number | undefined
  countDeadlines(time: SpoolTime): DeadlineCounts
}

/** Reads the table; there is nothing in a spool that does not have it yet and cannot be written. */
export function createDeadlineReads(db: DatabaseSync): DeadlineReads {
  let prepared: DeadlineReads | undefined
  const reads = (): DeadlineReads | undefined => {
    const hasTable = (): boolean =>
      db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'deadlines'").get() !== undefined
    if (prepared === undefined && hasTable()) prepared = prepareReads(db)
    return prepared
  }
  return {
    nextDeadlineInMs: (time) => reads()?.nextDeadlineInMs(time),
    deadlineInMs: (identity, build, time) => reads()?.deadlineInMs(identity, build, time),
    countDeadlines: (time) => reads()?.countDeadlines(time) ?? { open: 0, overdue: 0 },
  }
}

function prepareReads(db: DatabaseSync): DeadlineReads {
  const next = prepareGet<{ left_ms: number | null }>(db, `SELECT min(${LEFT}) AS left_ms FROM deadlines`)
  const one = prepareGet<{ left_ms: number }>(
    db,
    `SELECT ${LEFT} AS left_ms FROM deadlines WHERE identity = ?4 AND build = ?5 LIMIT 1`,
  )
  const counts = prepareGet<{ open: number; overdue: number }>(
    db,
    `SELECT count(*) FILTER (WHERE ${LEFT} > 0) AS open, count(*) FILTER (WHERE ${LEFT} <= 0) AS overdue FROM deadlines`,
  )
  return {
    nextDeadlineInMs: (time) => next(...timeParameters(time))?.left_ms ?? undefined,
    deadlineInMs: (identity, build, time) => one(...timeParameters(time), identity, build)?.left_ms,
    countDeadlines: (time) => ({ open: 0, overdue: 0, ...counts(...timeParameters(time)) }),
  }
}
