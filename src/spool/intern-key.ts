import type { DatabaseSync } from 'node:sqlite'
import { keyText } from './rows.ts'
import type { SpoolKey } from './spool.ts'
import { prepareGet, prepareRun } from './statements.ts'

/** Where a new event goes. */
export interface Place {
  readonly keyId: number
  /** Whether the key has a pending event of the same alert, for which the new one has to wait. */
  readonly isBehind: boolean
}

/** A function that returns the place of an event, and stores its key if it is new. Two lookups in one query. */
export function createFindPlace(db: DatabaseSync): (key: SpoolKey, dedupKey: string | null) => Place {
  const internKey = createInternKey(db)
  const findIn = (column: string) =>
    prepareGet<{ id: number; is_behind: number }>(
      db,
      `SELECT id, EXISTS (SELECT 1 FROM pending WHERE key_id = keys.id AND dedup_key = ?) AS is_behind
       FROM keys WHERE ${column} = ?`,
    )
  const find = { configured: findIn('name'), own: findIn('secret') }
  return (key, dedupKey) => {
    const found = find[key.kind](dedupKey, keyText(key))
    return found === undefined
      ? { keyId: internKey(key), isBehind: false }
      : { keyId: found.id, isBehind: found.is_behind === 1 }
  }
}

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
