import { statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { storeProblem } from './errors.ts'
import { createReads, type Reads } from './queries.ts'
import { checkOrigin, isBlank } from './schema.ts'
import { readTogether, type Sqlite } from './statements.ts'

/** The part of a store that can be read, whether or not it can be written. */
export interface ReadableStore {
  readonly reads: Reads
  /** Runs several queries on one snapshot, so that SQLite checks its locks once and not for each query. */
  readonly readTogether: <T>(work: () => T) => T
  readonly close: () => void
}

/** Reads a store that cannot be opened for writing: on a full disk or a read-only file system. */
export interface ReadOnlyStore {
  /** Whether it was opened so recently that there is no need to try writing again. */
  isFresh(): boolean
  /** @throws `reason`, the error of opening for writing, if the store cannot be read either */
  read<T>(work: (store: ReadableStore) => T, reason: unknown): T
  close(): void
}

/** How long to read without locks before trying to open for writing again. */
const FRESH_MS = 500

/** A read-only store that is opened when it is first read. */
export function createReadOnlyStore(sqlite: Sqlite, path: string): ReadOnlyStore {
  let opened: { readonly store: ReadableStore; readonly untilMs: number } | undefined
  const isFresh = (): boolean => opened !== undefined && performance.now() < opened.untilMs
  const close = (): void => {
    const closing = opened
    opened = undefined
    closing?.store.close()
  }
  const open = (): ReadableStore | undefined => {
    if (opened !== undefined && isFresh()) return opened.store
    close()
    const store = openWithoutLocks(sqlite, path)
    if (store !== undefined) opened = { store, untilMs: performance.now() + FRESH_MS }
    return store
  }
  return {
    isFresh,
    read: (work, reason) => {
      let store: ReadableStore | undefined
      try {
        store = open()
      } catch {
        // `reason` says more than this error
      }
      if (store === undefined) throw reason
      try {
        return work(store)
      } catch (error) {
        // Without locks, another process's write can look like damage.
        throw storeProblem(error)?.kind === 'damaged' ? reason : error
      }
    },
    close,
  }
}

/**
 * Opens a store without writing anything, not even the index that SQLite keeps next to its log. Without locks, it shows
 * the store as it was when it was opened.
 * @returns undefined if there is no store
 * @throws SQLite's errors
 */
function openWithoutLocks(sqlite: Sqlite, path: string): ReadableStore | undefined {
  if (!statSync(path).isFile()) return undefined // opening a pipe would block
  const url = pathToFileURL(path)
  const hasLog = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
  // A log can be read with its index in memory (sqlite.org/wal.html, "WAL without shared memory"). Without a log,
  // "immutable" (sqlite.org/uri.html) keeps SQLite from creating one.
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
