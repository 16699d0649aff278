import { createPrivateFile, fileIdentity, setAside } from './files.ts'
import { storeTrouble } from './sqlite-error.ts'
import { openStore, type Sqlite, type Store } from './store.ts'
import type { Transaction } from './transaction.ts'

/** A store that is opened when it is needed, and again when it was damaged or another file took its place. */
export interface Connection {
  /** @throws SQLite's and the file system's errors, but for damage: then the store is set aside and a new one used */
  read<T>(work: (store: Store) => T): T
  /** The same in a transaction. */
  transact<T>(work: (store: Store, tx: Transaction) => T): T
  /** Whether another process has replaced the file. Then it is opened anew. */
  followFile(): boolean
  close(): void
}

export interface ConnectionOptions {
  readonly sqlite: Sqlite
  readonly directory: string
  readonly path: string
  readonly now: () => number
  readonly onWarning: (message: string) => void
}

/** Another file has the store's name now: another process set the store aside. */
const MOVED = new Error('the store was replaced')

/** A connection that opens nothing yet. */
export function createConnection({ sqlite, directory, path, now, onWarning }: ConnectionOptions): Connection {
  let store: Store | undefined
  let identity: string | undefined

  const open = (): Store => {
    if (store !== undefined) return store
    createPrivateFile(directory, path)
    identity = fileIdentity(path)
    store = openStore(sqlite, path, now())
    return store
  }
  const close = (): void => {
    const closing = store
    store = undefined
    closing?.close()
  }
  const recover = (error: unknown): void => {
    const trouble = storeTrouble(error)
    if (error !== MOVED && trouble?.kind !== 'damaged') throw error
    const isStillThere = fileIdentity(path) === identity
    close()
    if (!isStillThere) return
    const aside = setAside(path, now())
    onWarning(
      `${trouble?.reason ?? 'the spool is damaged'}: it was set aside as ${aside} and a new one begun; ` +
        'what was pending in it will not be delivered unless it is repaired',
    )
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
    read: use,
    transact: (work) =>
      use((opened) =>
        opened.transact(now(), (tx) => {
          // Within the transaction, so that nothing is written to a file that was set aside meanwhile.
          if (fileIdentity(path) !== identity) throw MOVED
          return work(opened, tx)
        }),
      ),
    followFile: () => {
      if (store === undefined || fileIdentity(path) === identity) return false
      close()
      return true
    },
    close,
  }
}

/** Whether another connection has changed the store since the last call; the first call says yes. */
export function watchVersion(connection: Connection): () => boolean {
  let seen: number | undefined
  return () => {
    const isReplaced = connection.followFile()
    const version = connection.read(({ reads }) => reads.version())
    const isChanged = isReplaced || version !== seen
    seen = version
    return isChanged
  }
}
