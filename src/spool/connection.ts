import { accessSync, constants } from 'node:fs'
import { createPrivateFile, fileIdentity, setAside } from './files.ts'
import { createReadOnlyStore, type ReadableStore, type ReadOnlyStore } from './read-only-store.ts'
import type { Reserve } from './reserve.ts'
import { ifReadable, storeError, storeProblem } from './errors.ts'
import type { Sqlite } from './statements.ts'
import { openStore, type Store } from './store.ts'
import type { Transaction } from './changes.ts'

/**
 * A store that is opened when it is needed, and again when it was damaged or another file took its place. Where it cannot
 * be written it is read all the same.
 */
export interface Connection {
  /** @throws SQLite's and the file system's errors, but for damage: then the store is set aside and a new one used */
  read<T>(work: (store: ReadableStore) => T): T
  /** The same in a transaction, which needs a store that can be written. */
  transact<T>(work: (store: Store, tx: Transaction) => T): T
  /** The same outside of one. */
  maintain(work: (store: Store) => void): void
  /** Makes what room there can be for results: gives the reserve back, and empties the log. */
  relieve(): void
  /** Whether another process has replaced the file. Then it is opened anew. */
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

/** Another file has the store's name now: another process set the store aside. */
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
    if (isReadOnly(error)) close() // it was opened so, and would stay so
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
          // Within the transaction, so that nothing is written to a file that was set aside meanwhile.
          if (fileIdentity(path) !== identity) throw MOVED
          return work(opened, tx)
        }),
      )
      readOnly.close() // which would not see what was written, and have it delivered again
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
    onIdentity(fileIdentity(path)) // known also of a store that turns out to be damaged
    return openStore(sqlite, path, { nowMs: now(), logBytes: reserve.bytes })
  }
  return withRelief(open, () => reserve.release())
}

type Use = <T>(work: (store: Store) => T) => T

/** Reads as usual, or else without locks. */
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
    `${reason ?? 'the spool is damaged'}: it was set aside as ${aside} and a new one begun; ` +
    'what was pending in it will not be delivered unless it is repaired'
  )
}

/** SQLite opens for reading what it may not write, and would go on so when it may. */
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

/** Tries again if there is something to give back for it. */
function withRelief<T>(work: () => T, relieve: () => boolean): T {
  try {
    return work()
  } catch (error) {
    if (storeProblem(error)?.kind !== 'unavailable' || !relieve()) throw error
    return work()
  }
}

/** Whether another connection has changed the store since the last call; the first call says yes. */
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
