import type { DatabaseSync } from 'node:sqlite'
import type { Settlement } from './spool.ts'
import { incremented, readable, storableDue } from './numbers.ts'
import { prepareGet, prepareRun } from './statements.ts'
import type { Transaction } from './transaction.ts'

/** Writes down what came of an attempt. An event that is not pending is left alone. */
export type Settle = (tx: Transaction, settlement: Settlement) => void

interface PendingRow {
  readonly key_id: number
  readonly dedup_key: string | null
  readonly attempts: number
}

/** Prepares the statements of settling. */
export function createSettle(db: DatabaseSync): Settle {
  const move = createMove(db)
  // Not `DELETE … RETURNING`, which makes a table of its own for what it returns, at twice the cost of both of these.
  const find = prepareGet<PendingRow>(
    db,
    `SELECT key_id, dedup_key, ${readable('attempts')} AS attempts FROM pending WHERE id = ?`,
  )
  const remove = prepareRun(db, 'DELETE FROM pending WHERE id = ?')
  const unblockNext = prepareRun(
    db,
    'UPDATE pending SET due_at = 0 WHERE id = (SELECT min(id) FROM pending WHERE key_id = ? AND dedup_key = ?)',
  )
  const postpone = prepareRun(
    db,
    `UPDATE pending SET attempts = ${incremented('attempts')}, http_status = ?, reason = ?, due_at = ? WHERE id = ?`,
  )
  return (tx, settlement) => {
    const { kind, id, httpStatus } = settlement
    if (kind === 'postponed') {
      postpone(httpStatus ?? null, settlement.reason, storableDue(settlement.dueAtMs, tx.nowMs), id)
      return
    }
    const found = find(id)
    if (found === undefined) return
    move(tx, settlement)
    remove(id)
    tx.counts.pending--
    tx.counts[kind]++
    tx.settled.push({
      id,
      status: kind,
      attempts: found.attempts + 1,
      ...(httpStatus !== undefined && { httpStatus }),
      ...(kind === 'dead' && { reason: settlement.reason }),
    })
    if (found.dedup_key === null) return
    if (unblockNext(found.key_id, found.dedup_key) > 0) tx.dueKeyIds.add(found.key_id)
  }
}

/** Copies an event from the pending ones to where it belongs now. */
function createMove(db: DatabaseSync): (tx: Transaction, settlement: Settlement) => void {
  const COLUMNS = `id, key_id, kind, action, dedup_key, accepted_at, ${incremented('attempts')}`
  const toDelivered = prepareRun(
    db,
    `INSERT INTO delivered SELECT ${COLUMNS}, ?, NULL, ? FROM pending WHERE id = ?`,
  )
  const toDead = prepareRun(
    db,
    `INSERT INTO dead SELECT ${COLUMNS}, ?, ?, ?, checksum, body FROM pending WHERE id = ?`,
  )
  return ({ nowMs }, settlement) => {
    const settledAtMs = Math.round(nowMs)
    if (settlement.kind === 'delivered') toDelivered(settlement.httpStatus, settledAtMs, settlement.id)
    if (settlement.kind === 'dead')
      toDead(settlement.httpStatus ?? null, settlement.reason, settledAtMs, settlement.id)
  }
}
