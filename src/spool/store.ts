import type { DatabaseSync } from 'node:sqlite'
import type { Deployment } from '../core/deployment.ts'
import { createAttemptLog } from './attempt-log.ts'
import {
  createAdd,
  createRevive,
  createSettle,
  type Add,
  type Revive,
  type Settle,
  type Transaction,
} from './changes.ts'
import { createBegin, createExpire, type Begin, type Expire } from './deadline-changes.ts'
import { createRemoveDeadline, type RemoveDeadline } from './deadline-forwarding.ts'
import { createEndNoted, DEADLINE_KEY_IDS } from './deadline-table.ts'
import type { DeliveryState } from './deployment-log.ts'
import { createGiveUp, createRecordDeployments } from './deployment-table.ts'
import { createDiscard, type Discard } from './discarding.ts'
import { createRemove, type Remove } from './forwarding-statements.ts'
import { latestDue } from './numbers.ts'
import { createReads } from './queries.ts'
import type { ReadableStore } from './read-only-store.ts'
import { damage, examineDatabase, prepareDatabase } from './schema.ts'
import type { EventStatus } from './spool.ts'
import { prepareGet, prepareRun, readTogether, type Sqlite } from './statements.ts'
import { createSpace, limitLog, type Space } from './space.ts'
import { createSuperseding } from './superseding.ts'
import { createTrim, type Trim } from './trimming.ts'
import { createWriteUntold, type WriteUntold } from './untold-table.ts'

/** One connection to the database of a spool. Everything is synchronous and throws SQLite's errors. */
export interface Store extends ReadableStore, Space {
  readonly add: Add
  readonly settle: Settle
  readonly revive: Revive
  readonly trim: Trim
  readonly discard: Discard
  /** See `DeploymentLog`. */
  readonly note: (tx: Transaction, deployment: Deployment, told?: DeliveryState) => number
  /** Removes pending events without a result. */
  readonly remove: Remove
  readonly removeDeadline: RemoveDeadline
  readonly untold: WriteUntold
  readonly begin: Begin
  readonly expire: Expire
  /** No event of the key waits for longer than until then. */
  readonly clampDue: (latestMs: number, keyId: number) => void
  /** Makes events due now if their time is further away than any wait. */
  readonly repairDueTimes: (nowMs: number) => void
  /** Removes rows that no event needs, above all callers' keys. */
  readonly tidy: () => void
  readonly transact: <T>(nowMs: number, work: (tx: Transaction) => T) => T
}

/** How long SQLite waits for another process's transaction, which blocks this process. */
const BUSY_MS = 50

export interface OpenStoreOptions {
  readonly nowMs: number
  /** The size at which SQLite moves the log's content to the file. */
  readonly logBytes: number
}

/**
 * Opens a store whose file exists, and creates its tables if it is empty.
 * @throws SQLite's errors
 */
export function openStore(sqlite: Sqlite, path: string, { nowMs, logBytes }: OpenStoreOptions): Store {
  const db = new sqlite.DatabaseSync(path, { timeout: BUSY_MS })
  try {
    prepareDatabase(db, nowMs)
    limitLog(db, logBytes)
    return assembleStore(db)
  } catch (error) {
    db.close()
    throw explainSqlError(error)
  }
}

/**
 * Checks a store as `openStore` does, but only reads it.
 * @throws SQLite's errors
 */
export function examineStore(sqlite: Sqlite, path: string): void {
  const db = new sqlite.DatabaseSync(path, { timeout: BUSY_MS, readOnly: true })
  try {
    examineDatabase(db)
  } catch (error) {
    throw explainSqlError(error)
  } finally {
    db.close()
  }
}

/** If SQLite does not know a table or column, the schema is damaged: the statements are right. */
function explainSqlError(error: unknown): unknown {
  return error instanceof Error && 'errcode' in error && error.errcode === 1 ? damage(error.message) : error
}

/** Names the parts of the index by key, kind and time: without it, SQLite would read the key's whole part. */
const EACH_KIND = "kind IN ('alert', 'change')"

function assembleStore(db: DatabaseSync): Store {
  // One index lookup for each key, since the whole table is as large as all its events.
  const repairDueTimes = prepareRun(
    db,
    `UPDATE pending SET due_at = ? WHERE id IN
       (SELECT p.id FROM keys CROSS JOIN pending AS p ON p.key_id = keys.id AND ${EACH_KIND} WHERE p.due_at > ?
        UNION ALL
        SELECT p.id FROM keys CROSS JOIN pending AS p ON p.key_id = keys.id AND ${EACH_KIND} WHERE p.due_at < 0)`,
  )
  const clampDue = prepareRun(
    db,
    `UPDATE pending SET due_at = ? WHERE due_at > ? AND key_id = ? AND ${EACH_KIND}`,
  )
  const forgetKeys = prepareRun(
    db,
    `DELETE FROM keys WHERE secret IS NOT NULL
     AND id NOT IN (SELECT key_id FROM delivered UNION SELECT key_id FROM dead UNION SELECT key_id FROM discarded)
     AND id NOT IN (${DEADLINE_KEY_IDS})
     AND NOT EXISTS (SELECT 1 FROM pending WHERE key_id = keys.id AND due_at IS NOT NULL)`,
  )
  const superseding = createSuperseding(db)
  const attemptLog = createAttemptLog(db)
  const giveUp = createGiveUp(db)
  const add = createAdd(db)
  const record = createRecordDeployments(db)
  const endNoted = createEndNoted(db)
  return {
    reads: createReads(db),
    add,
    begin: createBegin(db),
    expire: createExpire(db, add),
    settle: createSettle(db),
    revive: createRevive(db, superseding),
    trim: createTrim(db, superseding, giveUp),
    discard: createDiscard(db, giveUp),
    note: (tx, deployment, told) => {
      const id = tx.nextId++
      tx.changedIds.push(id) // those who look at the list have to see it
      if (told !== undefined) endNoted(deployment)
      return record.noted(id, deployment, told)
    },
    remove: createRemove(db),
    removeDeadline: createRemoveDeadline(db),
    untold: createWriteUntold(db),
    clampDue: (latestMs, keyId) => {
      const atMs = Math.round(latestMs)
      clampDue(atMs, atMs, keyId)
    },
    repairDueTimes: (nowMs) => void repairDueTimes(Math.round(nowMs), latestDue(nowMs)),
    tidy: () => {
      forgetKeys()
      superseding.tidy()
      attemptLog.tidy()
    },
    readTogether: readTogether(db),
    transact: createTransact(db),
    ...createSpace(db),
    close: () => db.close(),
  }
}

interface StateRow extends Record<EventStatus, number> {
  readonly next_id: number
}

/**
 * A function that does work in one transaction, which is synced to disk when it returns.
 * @throws SQLite's errors, and the work's own; then nothing is changed
 */
function createTransact(db: DatabaseSync): <T>(nowMs: number, work: (tx: Transaction) => T) => T {
  const readState = prepareGet<StateRow>(db, 'SELECT next_id, pending, delivered, dead FROM state')
  const writeState = prepareRun(db, 'UPDATE state SET next_id = ?, pending = ?, delivered = ?, dead = ?')
  return (nowMs, work) => {
    db.exec('BEGIN IMMEDIATE')
    try {
      const { next_id: nextId, ...counts } = readState() ?? missing()
      const tx: Transaction = {
        nowMs,
        nextId,
        counts,
        fresh: [],
        dueKeyIds: new Set(),
        settled: [],
        changedIds: [],
        crowdedOut: 0,
      }
      const result = work(tx)
      writeState(tx.nextId, tx.counts.pending, tx.counts.delivered, tx.counts.dead)
      db.exec('COMMIT')
      return result
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}

function missing(): never {
  throw damage('the row of state is missing')
}
