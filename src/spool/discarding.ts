import type { DatabaseSync } from 'node:sqlite'
import type { GiveUp } from './deployment-table.ts'
import { prepareRun } from './statements.ts'
import type { Transaction } from './changes.ts'

/** Discarded events that are kept for the list. */
const KEPT = 1000

/**
 * Discards a dead event: its content is removed, and the list keeps the reason.
 * @returns false if there is no such dead event
 */
export type Discard = (tx: Transaction, id: number, note: string) => boolean

/** Prepares the statements of discarding. */
export function createDiscard(db: DatabaseSync, giveUp: GiveUp): Discard {
  const copy = prepareRun(
    db,
    `INSERT OR REPLACE INTO discarded
     SELECT id, key_id, kind, action, dedup_key, accepted_at, attempts, http_status, reason, ?, ? FROM dead WHERE id = ?`,
  )
  const remove = prepareRun(db, 'DELETE FROM dead WHERE id = ?')
  const trim = prepareRun(
    db,
    `DELETE FROM discarded WHERE id <= (SELECT id FROM discarded ORDER BY id DESC LIMIT 1 OFFSET ${KEPT})`,
  )
  return (tx, id, note) => {
    if (copy(Math.round(tx.nowMs), note, id) === 0) return false
    giveUp.one(id)
    remove(id)
    trim()
    tx.counts.dead--
    tx.changedIds.push(id)
    return true
  }
}
