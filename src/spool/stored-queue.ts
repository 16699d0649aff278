import type { SpoolQueue } from './spool.ts'
import type { Commits } from './group-commit.ts'
import type { Unwritten } from './unwritten.ts'
import { lastingReasonOf } from './errors.ts'
import { watchVersion, type Connection } from './connection.ts'

/** The part of a queue that is in the store. */
export type StoredQueue = Omit<
  SpoolQueue,
  'tryLock' | 'releaseLock' | 'now' | 'onDue' | 'settle' | 'unwritten'
>

export interface StoredQueueOptions {
  readonly connection: Connection
  readonly commits: Commits
  readonly unwritten: Unwritten
  readonly now: () => number
}

/** Reads what a connection's store holds, in the light of the results that could not be written to it yet. */
export function createStoredQueue({ connection, commits, unwritten, now }: StoredQueueOptions): StoredQueue {
  return {
    dueKeys: () => {
      const ready = [...unwritten.readyKeyIds()].map((keyId) => ({ keyId, dueAtMs: 0 }))
      return [...ready, ...connection.read(({ reads }) => reads.dueKeys(now()))]
    },
    key: (keyId) => connection.read(({ reads }) => reads.key(keyId)),
    due: (keyId, kind, options) =>
      connection.read(({ reads }) =>
        unwritten.size() > 0
          ? unwritten.due(reads, { keyId, kind, options })
          : reads.due(keyId, kind, options),
      ),
    hasEarlier: (keyId, dedupKey, id) =>
      connection.read(({ reads }) =>
        unwritten.size() > 0
          ? unwritten.hasEarlier(reads, { keyId, dedupKey, id })
          : reads.hasEarlier(keyId, dedupKey, id),
      ),
    readTogether: (work) => connection.read(({ readTogether }) => readTogether(work)),
    deliveriesSince: (sinceMs) => connection.read(({ reads }) => reads.deliveriesSince(sinceMs)),
    hasForeignChanges: watchVersion(connection),
    clampDue: async (latestMs, keyId) => {
      const written = await commits.write(({ clampDue }) => clampDue(latestMs, keyId), 'reserve')
      return written.kind === 'written' ? undefined : written.reason
    },
    mendDues: async () => {
      const written = await commits.write(({ mendDues }, { nowMs }) => mendDues(nowMs), 'reserve')
      return written.kind === 'written' ? undefined : written.reason
    },
    tidy: async () => {
      await commits.write(({ tidy }) => tidy())
      try {
        connection.maintain(({ shrink }) => shrink())
      } catch (error) {
        lastingReasonOf(error) // the next time may do
      }
    },
  }
}
