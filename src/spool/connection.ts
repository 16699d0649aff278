import { accessSync, constants } from 'node:fs'
import { createPrivateFile, fileIdentity, setAside } from './files.ts'
import { createReadOnlyStore, type ReadableStore, type ReadOnlyStore } from './read-only-store.ts'
import type { Reserve } from './reserve.ts'
import { ifReadable, storeError, storeProblem } from './errors.ts'
import type { Sqlite } from './statements.ts'
import { openStore, type Store } from './store.ts'
import type { Transaction } from './changes.ts'

/**
 * A store that is opened on first use, and reopened when it was damaged or replaced by another file. If it cannot be
 * written, it can still be read.
 */
export interface Connection {
  /** @throws SQLite's and the file system's errors. A damaged store is set aside, and a new one is used instead */
  read<T>(work: (store: ReadableStore) => T): T
  /** Does work in a transaction, which needs a store that can be written. */
  transact<T>(work: (store: Store, tx: Transaction) => T): T
  /** Does work on a store that can be written, outside of a transaction. */
  maintain(work: (store: Store) => void): void
  /** Makes as much room for results as possible: releases the reserve and empties the log. */
  relieve(): void
  /** Whether another process has replaced the file. If so, the next use opens the new one. */
  followFile(): boolean
  close(): void
}

export interface ConnectionOptions {
  readonly sqlite: Sqlite
  readonly directory: string
  readonly path: string
  readonly reserve: Reserve
  readonly now: () => number
  readonly onWarning: (message: string) => void
}

/** Another process set the store aside, so its name belongs to another file now. */
const MOVED = new Error('the store was replaced')
/** SQLite's result code for a store that may not be written. */
const READ_ONLY = 8
const NOT_WRITABLE = storeError('read-only', READ_ONLY)

/** A connection that opens nothing yet. */
export function createConnection(options: ConnectionOptions): Connection {
  const { sqlite, path, reserve, now, onWarning } = options
  let store: Store | undefined
  let identity: string | undefined
  const readOnly = createReadOnlyStore(sqlite, path)

  const open = (): Store => {
    if (store !== undefined) return store
    store = openForWriting(options, (opened) => (identity = opened))
    readOnly.close()
    return store
  }
  const close = (): void => {
    const closing = store
    store = undefined
    closing?.close()
    readOnly.close()
  }
  const recover = (error: unknown): void => {
    const problem = storeProblem(error)
    if (isReadOnly(error)) close() // SQLite would keep it read-only
    if (error !== MOVED && problem?.kind !== 'damaged') throw error
    const isStillThere = fileIdentity(path) === identity
    close()
    if (isStillThere) onWarning(asideWarning(problem?.reason, setAside(path, now())))
  }
  const use = <T>(work: (store: Store) => T): T => {
    try {
      return work(open())
    } catch (error) {
      recover(error)
      return work(open())
    }
  }
  return {
    read: (work) => readEither(readOnly, use, work),
    transact: (work) => {
      const result = use((opened) =>
        opened.transact(now(), (tx) => {
          // Checked within the transaction, so that nothing is written to a file that was just set aside.
          if (fileIdentity(path) !== identity) throw MOVED
          return work(opened, tx)
        }),
      )
      readOnly.close() // it would not see this transaction, and its events would be delivered again
      return result
    },
    maintain: use,
    relieve: () => {
      reserve.release()
      ifReadable(() => open().emptyLog())
    },
    followFile: () => {
      const isReplaced = store !== undefined && fileIdentity(path) !== identity
      if (isReplaced) close()
      return isReplaced
    },
    close,
  }
}

function openForWriting(
  { sqlite, directory, path, reserve, now }: ConnectionOptions,
  onIdentity: (identity: string | undefined) => void,
): Store {
  const open = (): Store => {
    createPrivateFile(directory, path)
    checkAccess(path)
    onIdentity(fileIdentity(path)) // before opening, since a damaged store needs it too
    return openStore(sqlite, path, { nowMs: now(), logBytes: reserve.bytes })
  }
  return withRelief(open, () => reserve.release())
}

type Use = <T>(work: (store: Store) => T) => T

/** Reads the usual way, or if that fails, without locks. */
function readEither<T>(readOnly: ReadOnlyStore, use: Use, work: (store: ReadableStore) => T): T {
  if (readOnly.isFresh()) return readOnly.read(work, NOT_WRITABLE)
  try {
    return use(work)
  } catch (error) {
    if (storeProblem(error)?.kind !== 'unavailable') throw error
    return readOnly.read(work, error)
  }
}

function asideWarning(reason: string | undefined, aside: string): string {
  return (
    `${reason ?? 'the spool is damaged'}: it was set aside as ${aside} and a new one started; ` +
    'its pending events will not be delivered unless it is repaired'
  )
}

/** SQLite opens a file that it may not write as read-only, and keeps it so even after that changes. */
function checkAccess(path: string): void {
  try {
    accessSync(path, constants.W_OK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EROFS') throw storeError('read-only', READ_ONLY)
    if (code === 'EACCES') throw storeError('permission denied', 3)
    throw error
  }
}

function isReadOnly(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === READ_ONLY
}

/** Does work again if there was something to release for it. */
function withRelief<T>(work: () => T, relieve: () => boolean): T {
  try {
    return work()
  } catch (error) {
    if (storeProblem(error)?.kind !== 'unavailable' || !relieve()) throw error
    return work()
  }
}

/** A function that returns whether another connection has changed the store since its last call; true at first. */
export function watchVersion(connection: Connection): () => boolean {
  let seen: ReadableStore | undefined
  let seenVersion: number | undefined
  return () => {
    connection.followFile()
    return connection.read((store) => {
      const version = store.reads.version()
      const isChanged = store !== seen || version !== seenVersion
      seen = store
      seenVersion = version
      return isChanged
    })
  }
}
