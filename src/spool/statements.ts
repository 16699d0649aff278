import type * as NodeSqlite from 'node:sqlite'
/* oxlint-disable typescript/no-unnecessary-type-parameters -- only the author of a query knows its rows */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'

/** Node's database module. Only commands that use a spool load it. */
export type Sqlite = typeof NodeSqlite

/**
 * A limit that is a parameter. For a bare `LIMIT ?`, SQLite plans the statement with the value, so it plans again on each
 * use, which costs ten times as much as the index lookup that it limits.
 */
export const GIVEN_LIMIT = 'LIMIT ? + 0'

/** A prepared query that returns its first row. */
export function prepareGet<Row>(
  db: DatabaseSync,
  sql: string,
): (...values: SQLInputValue[]) => Row | undefined {
  const statement = db.prepare(sql)
  return (...values) => statement.get(...values) as Row | undefined
}

/** A prepared query that returns all rows. */
export function prepareAll<Row>(db: DatabaseSync, sql: string): (...values: SQLInputValue[]) => Row[] {
  const statement = db.prepare(sql)
  return (...values) => statement.all(...values) as unknown[] as Row[]
}

/** A prepared statement that returns how many rows it changed. */
export function prepareRun(db: DatabaseSync, sql: string): (...values: SQLInputValue[]) => number {
  const statement = db.prepare(sql)
  return (...values) => Number(statement.run(...values).changes)
}

/** A function that runs several queries on one snapshot of a database. */
export function readTogether(db: DatabaseSync): <T>(work: () => T) => T {
  return (work) => {
    db.exec('BEGIN')
    try {
      return work()
    } finally {
      if (db.isOpen && db.isTransaction) db.exec('COMMIT')
    }
  }
}
