import type { DatabaseSync } from 'node:sqlite'
import type { Untold } from './forwarding.ts'
import { GIVEN_LIMIT, prepareAll, prepareRun } from './statements.ts'

/** What a fleet has to be told about events that were delivered without it. Older spools lack the table. */
export const UNTOLD_TABLE = `
CREATE TABLE IF NOT EXISTS untold (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
`

/** Reads what is to be told, in the order of the events. */
export type ReadUntold = (limit: number) => Untold[]

/** Its statement is prepared on first use: only relays of a fleet need it. A spool that cannot be written may lack the table. */
export function createReadUntold(db: DatabaseSync): ReadUntold {
  let prepared: ReadUntold | undefined
  const hasTable = (): boolean =>
    db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'untold'").get() !== undefined
  return (limit) => {
    if (prepared === undefined && hasTable())
      prepared = prepareAll<Untold>(db, `SELECT id, text FROM untold ORDER BY id ${GIVEN_LIMIT}`)
    return prepared?.(limit) ?? []
  }
}

/** Writes what is to be told. */
export interface WriteUntold {
  readonly keep: (untold: Untold) => void
  readonly forget: (ids: readonly number[]) => void
}

/** Its statements are prepared on first use. */
export function createWriteUntold(db: DatabaseSync): WriteUntold {
  let keep: ((id: number, text: string) => number) | undefined
  let forget: ((id: number) => number) | undefined
  return {
    keep: ({ id, text }) => {
      keep ??= prepareRun(db, 'INSERT OR REPLACE INTO untold VALUES (?, ?)')
      keep(id, text)
    },
    forget: (ids) => {
      forget ??= prepareRun(db, 'DELETE FROM untold WHERE id = ?')
      for (const id of ids) forget(id)
    },
  }
}
