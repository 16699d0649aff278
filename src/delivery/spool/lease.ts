import { Failure } from '../../core/failure.ts'
import { createPrivateFile } from './files.ts'
import { storeTrouble } from './sqlite-error.ts'
import type { Sqlite } from './store.ts'

/**
 * The right to deliver, which one process has at a time: an exclusive lock on a file. The operating system takes it from a
 * process that ends, however it ends, so no clock can expire it too early or too late.
 */
export interface Lease {
  /** False while another process has it. @throws SQLite's errors; a Failure where the file is another program's */
  tryTake(): boolean
  release(): void
}

const NO_LOCK =
  'deliver.lock in the directory of PAGERDUTY_SPOOL is another program’s file; name another directory'

/** A lease on a file; the lock is that of an exclusive transaction of SQLite, which Node has and locks it has not. */
export function createLease(sqlite: Sqlite, directory: string, path: string): Lease {
  let holder: InstanceType<Sqlite['DatabaseSync']> | undefined
  return {
    tryTake: () => {
      if (holder !== undefined) return true
      createPrivateFile(directory, path)
      const db = new sqlite.DatabaseSync(path, { timeout: 0 })
      try {
        db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE') // the file stays empty
      } catch (error) {
        db.close()
        const trouble = storeTrouble(error)
        if (trouble?.kind === 'busy') return false
        throw trouble?.kind === 'damaged' ? new Failure('config', NO_LOCK) : error
      }
      holder = db
      return true
    },
    release: () => {
      holder?.close()
      holder = undefined
    },
  }
}
