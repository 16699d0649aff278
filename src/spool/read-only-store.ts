import { statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { createReads, type Reads } from './queries.ts'
import { checkOrigin, isBlank } from './schema.ts'
import { readTogether } from './statements.ts'
import type { Sqlite } from './statements.ts'

/** What can be read of a store, whether or not it can be written. */
export interface ReadableStore {
  readonly reads: Reads
  /** Reads on one view of the store, which costs one look at its locks instead of one a query. */
  readonly readTogether: <T>(work: () => T) => T
  readonly close: () => void
}

/**
 * Opens a store for reading where nothing can be written, not even the index of its log that SQLite keeps beside it: on a
 * full disk or a read-only file system. Without locks, so it shows what was there when it was opened, and what another
 * process writes meanwhile may look like damage.
 * @returns undefined if there is no store
 * @throws SQLite's errors
 */
export function openReadOnlyStore(sqlite: Sqlite, path: string): ReadableStore | undefined {
  if (!statSync(path).isFile()) return undefined // a pipe would be waited for
  const url = pathToFileURL(path)
  const hasLog = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
  // A log can be read with its index in memory (sqlite.org/wal.html, "WAL without shared memory"); without one there is
  // none to make (sqlite.org/uri.html, "immutable").
  url.search = hasLog ? 'vfs=unix-none' : 'immutable=1'
  const db = new sqlite.DatabaseSync(url, { readOnly: true })
  try {
    if (hasLog) db.exec('PRAGMA locking_mode = EXCLUSIVE')
    if (isBlank(db)) {
      db.close()
      return undefined
    }
    checkOrigin(db)
    return { reads: createReads(db), readTogether: readTogether(db), close: () => db.close() }
  } catch (error) {
    db.close()
    throw error
  }
}
