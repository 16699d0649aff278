import type { DatabaseSync } from 'node:sqlite'
import { keyText } from './rows.ts'
import type { SpoolKey } from './spool.ts'
import { prepareGet, prepareRun } from './statements.ts'

/** A function that returns the id of a key, and stores the key if it is new. */
export function createInternKey(db: DatabaseSync): (key: SpoolKey) => number {
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
