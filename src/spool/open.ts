import type { Spool, SpoolOptions } from './spool.ts'
import { createCommits } from './group-commit.ts'
import { createConnection, watchVersion, type Connection } from './connection.ts'
import { spoolFiles } from './files.ts'
import { createIntake } from './intake.ts'
import { createDeliveryLock } from './lock.ts'
import { ifReadable, lastingReasonOf } from './errors.ts'
import { createStoredQueue } from './stored-queue.ts'
import { createReserve } from './reserve.ts'
import { createRoom } from './room.ts'
import { createResults } from './results.ts'
import { createUnwritten, type Remembered } from './unwritten.ts'
import { createWaiting } from './waiters.ts'

/**
 * Opens a spool. What is wrong with its directory or its disk is no error here: it is told, and tried anew whenever
 * something is to be written, so that a relay runs whatever the disk does.
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { directory, limit, onWarning, onCrowdedOut, now = steadyNow } = options
  // Loaded here, so that only those who keep events pay for the database.
  const sqlite = await import('node:sqlite')
  const files = spoolFiles(directory)
  const reserve = createReserve(directory, files.reserve)
  const connection = createConnection({ sqlite, directory, path: files.store, reserve, now, onWarning })
  const lock = createDeliveryLock(sqlite, directory, files)
  const room = createRoom({ directory, reserve, freeBytes: () => freeBytesOf(connection) })
  const listeners = new Set<(keyIds: ReadonlySet<number>) => void>()
  const hasChanged = watchVersion(connection)
  const unwritten = createUnwritten()
  const waiting = createWaiting({
    progress: (id) =>
      unwritten.progress(id) ??
      ifReadable(() => connection.read(({ reads }) => reads.progress(id))) ?? {
        id,
        status: 'pending',
        attempts: 0,
      },
    hasForeignChanges: () => ifReadable(hasChanged) ?? false,
  })
  const tell = ({ settled, dueKeyIds }: Remembered): void => {
    waiting.settled(settled)
    if (dueKeyIds.size > 0) for (const listener of listeners) listener(dueKeyIds)
  }
  const commits = createCommits({
    connection,
    onCommitted: (tx) => {
      if (tx.crowdedOut > 0) onCrowdedOut?.(tx.crowdedOut)
      tell(tx)
    },
  })
  const results = createResults({ connection, commits, unwritten, onRemembered: tell })
  const problem = tryOpen(connection)
  if (problem !== undefined) onWarning(problem)
  return {
    ...createIntake({ connection, commits, unwritten, room, directory, limit, now }),
    waitFor: (ids, timeoutMs, signal) => waiting.waitFor(ids, timeoutMs, signal),
    queue: {
      ...createStoredQueue({ connection, commits, unwritten, now }),
      settle: results.settle,
      unwritten: results.unwritten,
      tryLock: () => lock.tryTake(),
      releaseLock: () => lock.release(),
      now,
      onDue: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    close: async () => {
      await results.close()
      commits.flush()
      lock.release()
      connection.close()
    },
  }
}

/** Milliseconds since the epoch at the start of the process, and from there on by a clock that never steps. */
function steadyNow(): number {
  return performance.timeOrigin + performance.now()
}

/** Bytes of the store's file that nothing is kept in; 0 where that cannot be told. */
function freeBytesOf(connection: Connection): number {
  let bytes = 0
  ifReadable(() => connection.maintain(({ freeBytes }) => (bytes = freeBytes())))
  return bytes
}

function tryOpen(connection: Connection): string | undefined {
  try {
    connection.transact(({ tidy }) => tidy())
    return undefined
  } catch (error) {
    return lastingReasonOf(error)
  }
}
