import { accessSync, constants, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { Failure } from '../core/failure.ts'
import { createPrivateFile, fileIdentity, type SpoolFiles } from './files.ts'
import { storeProblem } from './errors.ts'
import type { Sqlite } from './statements.ts'

/**
 * The right to deliver, which one process has at a time: an exclusive lock on a file. The operating system releases it when
 * the process exits, however it exits, so no clock can make it expire too early or too late.
 */
export interface DeliveryLock {
  /** False while another process has it. @throws SQLite's errors, or a Failure if the file cannot be used */
  tryTake(): Promise<boolean>
  release(): void
}

const NO_LOCK =
  'deliver.lock in the directory of PAGERDUTY_SPOOL is another program’s file; use another directory'
const NOT_OURS =
  'deliver.lock in the directory of PAGERDUTY_SPOOL belongs to another user, so nothing can be delivered; change its owner to the user that runs this program'

/** Errors of writing the lock file after which a read lock has to do. */
const UNWRITABLE = new Set(['EROFS', 'ENOSPC', 'EDQUOT'])

/** Releases a lock. */
type Holder = () => void

/** A lock on a file, by an exclusive SQLite transaction: Node has SQLite but no file locks. */
export function createDeliveryLock(sqlite: Sqlite, directory: string, files: SpoolFiles): DeliveryLock {
  let release: Holder | undefined
  const take = (): Holder | undefined => {
    createPrivateFile(directory, files.lock)
    accessSync(files.lock, constants.W_OK)
    return lock(sqlite, files.lock, 'PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE') // the file stays empty
  }
  return {
    tryTake: async () => {
      if (release !== undefined) return true
      try {
        release = take()
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : ''
        if (code === 'EACCES' && existsSync(files.lock)) throw new Failure('config', NOT_OURS)
        if (!UNWRITABLE.has(code)) throw error
        release = await takeWithoutWriting(sqlite, files)
      }
      return release !== undefined
    },
    release: () => {
      release?.()
      release = undefined
    },
  }
}

/** Locks a file; undefined if another process has locked it. */
function lock(sqlite: Sqlite, path: string, sql: string, readOnly = false): Holder | undefined {
  const db = new sqlite.DatabaseSync(path, { timeout: 0, readOnly })
  try {
    db.exec(sql)
    return () => db.close()
  } catch (error) {
    db.close()
    const problem = storeProblem(error)
    if (problem?.kind === 'busy') return undefined
    throw problem?.kind === 'damaged' ? new Failure('config', NO_LOCK) : error
  }
}

/**
 * On a read-only file system only a shared lock is possible. It excludes a process with the exclusive lock. Other processes
 * with a shared lock are excluded by a socket name that the kernel gives to one process at a time, and releases like a lock.
 */
async function takeWithoutWriting(sqlite: Sqlite, files: SpoolFiles): Promise<Holder | undefined> {
  const unlock = existsSync(files.lock)
    ? lock(sqlite, files.lock, 'BEGIN; SELECT count(*) FROM sqlite_schema', true)
    : (): void => undefined
  if (unlock === undefined) return undefined
  const name = await takeName(`pagerduty-alert ${fileIdentity(files.store)}`)
  if (name === undefined) {
    unlock()
    return undefined
  }
  return () => {
    name.close()
    unlock()
  }
}

/** Listens under a name in Linux's abstract socket namespace; undefined if another process does. */
async function takeName(name: string): Promise<Server | undefined> {
  return await new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', () => resolve(undefined))
    server.listen({ path: `\0${name}` }, () => resolve(server.unref()))
  })
}
