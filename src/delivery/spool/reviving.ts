import type { DatabaseSync } from 'node:sqlite'
import { prepareGet, prepareRun } from './sql.ts'
import type { Transaction } from './transaction.ts'

/**
 * Makes dead events pending again, as if they had just been accepted: behind what is pending of their alert, in the
 * order given. Returns how many of them there were.
 */
export type Revive = (tx: Transaction, ids: readonly number[]) => number

/** Prepares the statements of reviving. */
export function createRevive(db: DatabaseSync): Revive {
  const find = prepareGet<{ key_id: number; dedup_key: string | null }>(
    db,
    'SELECT key_id, dedup_key FROM dead WHERE id = ?',
  )
  const isPending = prepareGet(db, 'SELECT 1 FROM pending WHERE key_id = ? AND dedup_key = ? LIMIT 1')
  const copy = prepareRun(
    db,
    `INSERT INTO pending (id, key_id, kind, action, dedup_key, accepted_at, attempts, due_at, checksum, body)
     SELECT id, key_id, kind, action, dedup_key, ?, 0, ?, checksum, body FROM dead WHERE id = ?`,
  )
  const remove = prepareRun(db, 'DELETE FROM dead WHERE id = ?')
  return (tx, ids) => {
    let revived = 0
    for (const id of ids) {
      const dead = find(id)
      if (dead === undefined) continue
      const isBehind = dead.dedup_key !== null && isPending(dead.key_id, dead.dedup_key) !== undefined
      copy(Math.round(tx.nowMs), isBehind ? null : 0, id)
      remove(id)
      tx.counts.dead--
      tx.counts.pending++
      if (!isBehind) tx.dueKeyIds.add(dead.key_id)
      revived++
    }
    return revived
  }
}
