import type { DatabaseSync } from 'node:sqlite'
import type { SpoolKey } from './spool.ts'
import { checksumOf, keyText } from './checksum.ts'
import type { NewRow } from './rows.ts'
import { prepareGet, prepareRun } from './statements.ts'
import type { Transaction } from './transaction.ts'

/** Adds rows to the pending ones, all or none. Returns their ids, or undefined where they would pass the limit. */
export type Add = (tx: Transaction, rows: readonly NewRow[], limit: number) => number[] | undefined

/** Prepares the statements of adding. */
export function createAdd(db: DatabaseSync): Add {
  const internKey = createInternKey(db)
  const isPending = prepareGet(db, 'SELECT 1 FROM pending WHERE key_id = ? AND dedup_key = ? LIMIT 1')
  const insert = prepareRun(
    db,
    `INSERT INTO pending (id, key_id, kind, action, dedup_key, accepted_at, attempts, due_at, checksum, body)
     VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
  )
  return (tx, rows, limit) => {
    if (tx.counts.pending + rows.length > limit) return undefined
    return rows.map(({ key, kind, action, dedupKey, body }) => {
      const id = tx.nextId++
      const keyId = internKey(key)
      const isBehind = dedupKey !== null && isPending(keyId, dedupKey) !== undefined
      insert(
        id,
        keyId,
        kind,
        action,
        dedupKey,
        Math.round(tx.nowMs),
        isBehind ? null : 0,
        checksumOf(key, kind, body),
        body,
      )
      tx.counts.pending++
      if (!isBehind) tx.dueKeyIds.add(keyId)
      return id
    })
  }
}

function createInternKey(db: DatabaseSync): (key: SpoolKey) => number {
  const find = {
    configured: prepareGet<{ id: number }>(db, 'SELECT id FROM keys WHERE name = ?'),
    own: prepareGet<{ id: number }>(db, 'SELECT id FROM keys WHERE secret = ?'),
  }
  const insert = {
    configured: prepareRun(db, 'INSERT INTO keys (name) VALUES (?)'),
    own: prepareRun(db, 'INSERT INTO keys (secret) VALUES (?)'),
  }
  return (key) => {
    const value = keyText(key)
    const found = find[key.kind](value)
    if (found !== undefined) return found.id
    insert[key.kind](value)
    return find[key.kind](value)?.id ?? 0
  }
}
