import { LIMITS } from '../core/event.ts'
import type { Spool, SpoolCounts, SpoolOptions, SpoolQueue } from './spool.ts'
import { createCommits, type Commits } from './spool/commits.ts'
import { createConnection, type Connection } from './spool/connection.ts'
import { hasRoom, spoolFiles, storesSetAside } from './spool/files.ts'
import { createLease } from './spool/lease.ts'
import { toRow } from './spool/row.ts'
import { storeTrouble } from './spool/sqlite-error.ts'
import { createWaiting } from './spool/waiting.ts'

/** Dead events that one transaction makes pending again. */
const REVIVED_AT_ONCE = 1000

/**
 * Opens a spool. What is wrong with its directory or its disk is no error here: it is told, and tried anew whenever
 * something is to be written, so that a relay runs whatever the disk does.
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { directory, limit, onWarning, now = steadyNow } = options
  // Loaded here, so that only those who keep events pay for the database.
  const sqlite = await import('node:sqlite')
  const { store: path, lease: leasePath } = spoolFiles(directory)
  const connection = createConnection({ sqlite, directory, path, now, onWarning })
  const lease = createLease(sqlite, directory, leasePath)
  const listeners = new Set<(keyIds: ReadonlySet<number>) => void>()
  const hasChanged = watchVersion(connection)
  const waiting = createWaiting({
    progress: (id) =>
      attempt(() => connection.read(({ reads }) => reads.progress(id))) ?? {
        id,
        status: 'pending',
        attempts: 0,
      },
    hasForeignChanges: () => attempt(hasChanged) ?? false,
  })
  const commits = createCommits({
    connection,
    onCommitted: ({ settled, dueKeyIds }) => {
      waiting.settled(settled)
      if (dueKeyIds.size > 0) for (const listener of listeners) listener(dueKeyIds)
    },
  })
  const trouble = tryOpen(connection)
  if (trouble !== undefined) onWarning(trouble)
  return {
    ...createIntake({ connection, commits, directory, limit, now }),
    waitFor: (ids, timeoutMs, signal) => waiting.waitFor(ids, timeoutMs, signal),
    queue: {
      ...createQueue(connection, commits, now),
      tryLease: () => lease.tryTake(),
      releaseLease: () => lease.release(),
      now,
      onDue: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    close: async () => {
      commits.flush()
      lease.release()
      connection.close()
    },
  }
}

/** Milliseconds since the epoch at the start of the process, and from there on by a clock that never steps. */
function steadyNow(): number {
  return performance.timeOrigin + performance.now()
}

function tryOpen(connection: Connection): string | undefined {
  try {
    connection.read(({ forgetKeys }) => forgetKeys())
    return undefined
  } catch (error) {
    return lastingReasonOf(error)
  }
}

/** As `reasonOf`, and undefined for another process's transaction: a little later it is over. */
function lastingReasonOf(error: unknown): string | undefined {
  return storeTrouble(error)?.kind === 'busy' ? undefined : reasonOf(error)
}

/** What was read, or undefined where the store cannot be read. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    reasonOf(error)
    return undefined
  }
}

/** @throws what is a bug and no trouble of the store */
function reasonOf(error: unknown): string {
  const trouble = storeTrouble(error)
  if (trouble === undefined) throw error
  return trouble.reason
}

/** Whether another connection has changed the store since the last call; the first call says yes. */
function watchVersion(connection: Connection): () => boolean {
  let seen: number | undefined
  return () => {
    const isReplaced = connection.followFile()
    const version = connection.read(({ reads }) => reads.version())
    const isChanged = isReplaced || version !== seen
    seen = version
    return isChanged
  }
}

interface IntakeParts {
  readonly connection: Connection
  readonly commits: Commits
  readonly directory: string
  readonly limit: number
  readonly now: () => number
}

/** What the largest event may take: once in the log of SQLite, and once in its file. */
const LARGEST_EVENT_BYTES = 2 * LIMITS.bodyBytes

type Intake = Omit<Spool, 'waitFor' | 'queue' | 'close'>

function createIntake({ connection, commits, directory, limit, now }: IntakeParts): Intake {
  let known: SpoolCounts = { pending: 0, delivered: 0, dead: 0 }
  return {
    add: async (items) => {
      const rows = items.map(toRow)
      const written = await commits.write((store, tx) => store.add(tx, rows, limit))
      if (written.kind === 'unavailable') return written
      return written.value === undefined ? { kind: 'full', limit } : { kind: 'added', ids: written.value }
    },
    counts: () => {
      known = attempt(() => connection.read(({ reads }) => reads.counts())) ?? known
      return known
    },
    oldestPendingAgeMs: () => {
      const atMs = attempt(() => connection.read(({ reads }) => reads.oldestPendingAtMs()))
      return atMs === undefined ? undefined : Math.max(0, now() - atMs)
    },
    list: (status, count, afterId = 0) => connection.read(({ reads }) => reads.list(status, count, afterId)),
    retry: async (filter) => {
      const ids = connection.read(({ reads }) => {
        if ('id' in filter) return [filter.id]
        if (!('matchesKey' in filter)) return reads.deadIds(undefined)
        const matching = reads.keys().filter(({ key }) => filter.matchesKey(key))
        return reads.deadIds(new Set(matching.map(({ keyId }) => keyId)))
      })
      let revived = 0
      for (let from = 0; from < ids.length; from += REVIVED_AT_ONCE) {
        const written = await commits.write(({ revive }, tx) =>
          revive(tx, ids.slice(from, from + REVIVED_AT_ONCE)),
        )
        if (written.kind === 'written') revived += written.value
      }
      return revived
    },
    checkWritable: () => {
      try {
        connection.transact(() => undefined)
        return undefined
      } catch (error) {
        return lastingReasonOf(error)
      }
    },
    checkRoom: () => (hasRoom(directory, LARGEST_EVENT_BYTES) ? undefined : 'the disk of the spool is full'),
    setAside: () => storesSetAside(directory),
    hasPending: (key, dedupKey) => {
      const isPending = attempt(() =>
        connection.read(({ reads }) => {
          const keyId = reads.findKey(key)
          return keyId !== undefined && reads.isAlertPending(keyId, dedupKey)
        }),
      )
      return isPending ?? false
    },
  }
}

type StoredQueue = Omit<SpoolQueue, 'tryLease' | 'releaseLease' | 'now' | 'onDue'>

function createQueue(connection: Connection, commits: Commits, now: () => number): StoredQueue {
  return {
    dueKeys: () => connection.read(({ reads }) => reads.dueKeys(now())),
    key: (keyId) => connection.read(({ reads }) => reads.key(keyId)),
    due: (keyId, options) => connection.read(({ reads }) => reads.due(keyId, options)),
    readTogether: (work) => connection.read(({ readTogether }) => readTogether(work)),
    settle: async (settlements) => {
      const written = await commits.write(({ settle }, tx) => {
        for (const settlement of settlements) settle(tx, settlement)
      })
      return written.kind === 'written' ? undefined : written.reason
    },
    deliveriesSince: (sinceMs) => connection.read(({ reads }) => reads.deliveriesSince(sinceMs)),
    hasForeignChanges: watchVersion(connection),
    clampDue: async (latestMs, keyId) => {
      const written = await commits.write(({ clampDue }) => clampDue(latestMs, keyId))
      return written.kind === 'written' ? undefined : written.reason
    },
    mendDues: async () => {
      const written = await commits.write(({ mendDues }, { nowMs }) => mendDues(nowMs))
      return written.kind === 'written' ? undefined : written.reason
    },
    forgetKeys: async () => {
      await commits.write(({ forgetKeys }) => forgetKeys())
    },
  }
}
