import type { DatabaseSync } from 'node:sqlite'
import type { EventStatus, Progress } from './spool.ts'
import { damage } from './integrity.ts'
import { prepareGet, prepareRun } from './statements.ts'

/** What the changes of one transaction share. */
export interface Transaction {
  readonly nowMs: number
  /** The id that the next event gets; ids are never used twice. */
  nextId: number
  /** Events of each status. */
  readonly counts: Record<EventStatus, number>
  /** Keys that have got an event to attempt. */
  readonly dueKeyIds: Set<number>
  /** Events that are pending no more. */
  readonly settled: Progress[]
  /** How many dead events have made room for others. */
  crowdedOut: number
}

interface StateRow extends Record<EventStatus, number> {
  readonly next_id: number
}

/**
 * A function that does work in one transaction, which is synced to disk when it returns.
 * @throws SQLite's errors, and what the work throws; then nothing is changed
 */
export function createTransact(db: DatabaseSync): <T>(nowMs: number, work: (tx: Transaction) => T) => T {
  const readState = prepareGet<StateRow>(db, 'SELECT next_id, pending, delivered, dead FROM state')
  const writeState = prepareRun(db, 'UPDATE state SET next_id = ?, pending = ?, delivered = ?, dead = ?')
  return (nowMs, work) => {
    db.exec('BEGIN IMMEDIATE')
    try {
      const { next_id: nextId, ...counts } = readState() ?? missing()
      const tx = { nowMs, nextId, counts, dueKeyIds: new Set<number>(), settled: [], crowdedOut: 0 }
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
