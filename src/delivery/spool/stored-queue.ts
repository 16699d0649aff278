import type { SpoolQueue } from '../spool.ts'
import type { Commits } from './commits.ts'
import { watchVersion, type Connection } from './connection.ts'

/** The part of a queue that is in the store. */
export type StoredQueue = Omit<SpoolQueue, 'tryLease' | 'releaseLease' | 'now' | 'onDue'>

/** Reads and settles what a connection's store holds. */
export function createStoredQueue(connection: Connection, commits: Commits, now: () => number): StoredQueue {
  return {
    dueKeys: () => connection.read(({ reads }) => reads.dueKeys(now())),
    key: (keyId) => connection.read(({ reads }) => reads.key(keyId)),
    due: (keyId, kind, options) => connection.read(({ reads }) => reads.due(keyId, kind, options)),
    hasEarlier: (keyId, dedupKey, id) =>
      connection.read(({ reads }) => reads.hasEarlier(keyId, dedupKey, id)),
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
    tidy: async () => {
      await commits.write(({ tidy }) => tidy())
    },
  }
}
