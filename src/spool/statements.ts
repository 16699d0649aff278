import type * as NodeSqlite from 'node:sqlite'
/* oxlint-disable typescript/no-unnecessary-type-parameters -- what a query's rows look like only its writer knows */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'

/** Node's database module. Only commands that use a spool load it. */
export type Sqlite = typeof NodeSqlite

/**
 * A limit that is given with each use. SQLite looks at the value of a bare `LIMIT ?` to plan the statement, and so plans it
 * anew each time: ten times the cost of the look into an index that it limits.
 */
export const GIVEN_LIMIT = 'LIMIT ? + 0'

/** A prepared query of which the first row is wanted. */
export function prepareGet<Row>(
  db: DatabaseSync,
  sql: string,
): (...values: SQLInputValue[]) => Row | undefined {
  const statement = db.prepare(sql)
  return (...values) => statement.get(...values) as Row | undefined
}

/** A prepared query of which every row is wanted. */
export function prepareAll<Row>(db: DatabaseSync, sql: string): (...values: SQLInputValue[]) => Row[] {
  const statement = db.prepare(sql)
  return (...values) => statement.all(...values) as unknown[] as Row[]
}

/** A prepared change, which returns how many rows it changed. */
export function prepareRun(db: DatabaseSync, sql: string): (...values: SQLInputValue[]) => number {
  const statement = db.prepare(sql)
  return (...values) => Number(statement.run(...values).changes)
}

/** Does work that reads often on one view of a database. */
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
