import type * as NodeSqlite from 'node:sqlite'
/* oxlint-disable typescript/no-unnecessary-type-parameters -- only the author of a query knows its rows */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

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
  const { statement, inOrder } = prepare(db, sql)
  return (...values) => statement.get(...inOrder(values)) as Row | undefined
}

/** A prepared query that returns all rows. */
export function prepareAll<Row>(db: DatabaseSync, sql: string): (...values: SQLInputValue[]) => Row[] {
  const { statement, inOrder } = prepare(db, sql)
  return (...values) => statement.all(...inOrder(values)) as unknown[] as Row[]
}

/** A prepared statement that returns how many rows it changed. */
export function prepareRun(db: DatabaseSync, sql: string): (...values: SQLInputValue[]) => number {
  const { statement, inOrder } = prepare(db, sql)
  return (...values) => Number(statement.run(...inOrder(values)).changes)
}

interface Prepared {
  readonly statement: StatementSync
  /** The values of numbered parameters as the statement takes them. */
  readonly inOrder: (values: readonly SQLInputValue[]) => readonly SQLInputValue[]
}

/**
 * Prepares a statement whose parameters may be numbered (`?2`). Node 22 binds only `?`, so each number is replaced by one, and
 * its value is given as often as it is used. As in SQLite, a `?` between them counts as one more than the largest number.
 */
function prepare(db: DatabaseSync, sql: string): Prepared {
  if (!NUMBERED.test(sql)) return { statement: db.prepare(sql), inOrder: (values) => values }
  const uses: number[] = []
  const plain = sql.replaceAll(/\?(\d*)/g, (_, number: string) => {
    uses.push(number === '' ? Math.max(0, ...uses) + 1 : Number(number))
    return '?'
  })
  return {
    statement: db.prepare(plain),
    inOrder: (values) => uses.map((use) => values[use - 1] ?? null),
  }
}

const NUMBERED = /\?\d/

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
