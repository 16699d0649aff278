import type { DatabaseSync } from 'node:sqlite'
import { prepareGet, prepareRun } from './statements.ts'
import type { DeadRow, Superseding } from './superseding.ts'
import type { Transaction } from './transaction.ts'

/** What came of dead events that were to be pending again. */
export interface Revived {
  readonly retried: number
  /** How many stay dead because a later event has decided about their alert. */
  readonly leftOut: number
}

/**
 * Makes dead events pending again, as if they had just been accepted: behind what is pending of their alert, in the
 * order given.
 * @param evenSuperseded also those about whose alert a later event has decided
 */
export type Revive = (tx: Transaction, ids: readonly number[], evenSuperseded: boolean) => Revived

/** Prepares the statements of reviving. */
export function createRevive(db: DatabaseSync, superseding: Superseding): Revive {
  const find = prepareGet<DeadRow>(db, 'SELECT id, key_id, dedup_key FROM dead WHERE id = ?')
  const isPending = prepareGet(db, 'SELECT 1 FROM pending WHERE key_id = ? AND dedup_key = ? LIMIT 1')
  const copy = prepareRun(
    db,
    `INSERT INTO pending (id, key_id, kind, action, dedup_key, accepted_at, attempts, due_at, checksum, body)
     SELECT id, key_id, kind, action, dedup_key, ?, 0, ?, checksum, body FROM dead WHERE id = ?`,
  )
  const remove = prepareRun(db, 'DELETE FROM dead WHERE id = ?')
  const reviveOne = (tx: Transaction, { id, key_id: keyId, dedup_key: dedupKey }: DeadRow): void => {
    const isBehind = dedupKey !== null && isPending(keyId, dedupKey) !== undefined
    copy(Math.round(tx.nowMs), isBehind ? null : 0, id)
    remove(id)
    tx.counts.dead--
    tx.counts.pending++
    if (!isBehind) tx.dueKeyIds.add(keyId)
  }
  return (tx, ids, evenSuperseded) => {
    const isLeftOut = evenSuperseded ? () => false : superseding.isSuperseded()
    const found = ids.flatMap((id) => find(id) ?? [])
    const leftOut = new Set(found.filter(isLeftOut))
    for (const dead of found) if (!leftOut.has(dead)) reviveOne(tx, dead)
    return { retried: found.length - leftOut.size, leftOut: leftOut.size }
  }
}
