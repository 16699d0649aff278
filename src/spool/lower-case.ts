import type { DatabaseSync } from 'node:sqlite'

/** Adds `lower_case` to a database: SQLite's own `lower`, which is faster, knows ASCII letters only. */
export function addLowerCase(db: DatabaseSync): void {
  db.function('lower_case', { deterministic: true }, (text) => String(text).toLowerCase())
}
