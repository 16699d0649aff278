import { LIMITS } from '../../core/event.ts'
import type { Spool, SpoolCounts } from '../spool.ts'
import type { Commits } from './commits.ts'
import type { Connection } from './connection.ts'
import { createDeadEvents } from './dead-events.ts'
import { hasRoom, storesSetAside } from './files.ts'
import { toRow } from './row.ts'
import { ifReadable, lastingReasonOf } from './sqlite-error.ts'

export interface IntakeParts {
  readonly connection: Connection
  readonly commits: Commits
  readonly directory: string
  readonly limit: number
  readonly now: () => number
}

/** What the largest event may take: once in the log of SQLite, and once in its file. */
const LARGEST_EVENT_BYTES = 2 * LIMITS.bodyBytes

type Intake = Omit<Spool, 'waitFor' | 'queue' | 'close'>

/** The part of a spool that takes events in and tells of them. */
export function createIntake({ connection, commits, directory, limit, now }: IntakeParts): Intake {
  let known: SpoolCounts = { pending: 0, delivered: 0, dead: 0 }
  const counts = (): SpoolCounts => {
    known = ifReadable(() => connection.read(({ reads }) => reads.counts())) ?? known
    return known
  }
  return {
    add: async (items) => {
      const rows = items.map(toRow)
      const written = await commits.write((store, tx) => store.add(tx, rows, limit))
      if (written.kind === 'unavailable') return written
      return written.value === undefined ? { kind: 'full', limit } : { kind: 'added', ids: written.value }
    },
    counts,
    oldestPendingAgeMs: () => {
      const atMs = ifReadable(() => connection.read(({ reads }) => reads.oldestPendingAtMs()))
      return atMs === undefined ? undefined : Math.max(0, now() - atMs)
    },
    list: (status, count, afterId = 0) => connection.read(({ reads }) => reads.list(status, count, afterId)),
    ...createDeadEvents(connection, commits),
    checkWritable: () => {
      try {
        connection.transact(() => undefined)
        return undefined
      } catch (error) {
        return lastingReasonOf(error)
      }
    },
    checkRoom: () => {
      if (counts().pending >= limit) return `it keeps at most ${limit} events (PAGERDUTY_SPOOL_LIMIT)`
      return hasRoom(directory, LARGEST_EVENT_BYTES) ? undefined : 'the disk of the spool is full'
    },
    setAside: () => storesSetAside(directory),
    hasPending: (key, dedupKey) => {
      const isPending = ifReadable(() =>
        connection.read(({ reads }) => {
          const keyId = reads.findKey(key)
          return keyId !== undefined && reads.isAlertPending(keyId, dedupKey)
        }),
      )
      return isPending ?? false
    },
  }
}
