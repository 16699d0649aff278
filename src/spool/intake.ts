import { createFind } from './find-events.ts'
import type { ListedSpool } from './listing.ts'
import type { SpoolCounts } from './spool.ts'
import type { Commits } from './group-commit.ts'
import type { Connection } from './connection.ts'
import { createDeadEvents } from './dead-events.ts'
import { storesSetAside } from './files.ts'
import type { SpoolTime } from './deadline-table.ts'
import { createStoredDeployments } from './stored-deployments.ts'
import { NO_ROOM, type Room } from './room.ts'
import { toRow } from './rows.ts'
import type { Unwritten } from './unwritten.ts'
import { ifReadable, lastingReasonOf, orFailure } from './errors.ts'

export interface IntakeParts {
  readonly connection: Connection
  readonly commits: Commits
  readonly unwritten: Unwritten
  readonly room: Room
  readonly directory: string
  readonly limit: number
  readonly now: () => number
  readonly time: () => SpoolTime
}

/** Dead events that are removed at once to make room. */
const CROWDED_OUT_AT_ONCE = 100

type Intake = Omit<
  ListedSpool,
  'deadlines' | 'waitFor' | 'queue' | 'onChange' | 'watchOthers' | 'close' | 'forwarding'
>

/** The part of a spool that accepts events and answers questions about them. */
export function createIntake({
  connection,
  commits,
  unwritten,
  room,
  directory,
  limit,
  now,
  time,
}: IntakeParts): Intake {
  let known: SpoolCounts = { pending: 0, delivered: 0, dead: 0 }
  const counts = (): SpoolCounts => {
    known = ifReadable(() => connection.read(({ reads }) => reads.counts())) ?? known
    return unwritten.size() > 0 ? unwritten.counts(known) : known
  }
  const makeRoom = createMakeRoom({ commits, room, counts })
  return {
    add: async (items, ids = []) => {
      const rows = items.map((item, index) => ({ ...toRow(item, now()), ...reserved(ids[index]) }))
      if (!(await makeRoom(rows.reduce((sum, { body }) => sum + body.length, 0))))
        return { kind: 'unavailable', reason: NO_ROOM }
      const written = await commits.write((store, tx) => store.add(tx, rows, limit))
      if (written.kind === 'unavailable') return written
      return written.value === undefined ? { kind: 'full', limit } : { kind: 'added', ids: written.value }
    },
    counts,
    oldestPendingAgeMs: () => {
      const atMs = ifReadable(() => connection.read(({ reads }) => reads.oldestPendingAtMs()))
      return atMs === undefined ? undefined : Math.max(0, now() - atMs)
    },
    list: (status, count, afterId = 0) =>
      orFailure(() => connection.read(({ reads }) => reads.list(status, count, afterId))),
    ...createDeadEvents(connection, commits),
    deployments: createStoredDeployments({ connection, commits, unwritten, time }),
    ...createFind(connection, unwritten),
    checkWritable: () => {
      try {
        connection.transact(() => undefined)
        return undefined
      } catch (error) {
        return lastingReasonOf(error)
      }
    },
    checkRoom: () => {
      if (counts().pending >= limit)
        return `the spool is full: it keeps at most ${limit} events (PAGERDUTY_SPOOL_LIMIT)`
      return room.isLeft(0) ? undefined : NO_ROOM
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

function reserved(id: number | undefined): { id?: number } {
  return id === undefined ? {} : { id }
}

type MakeRoomParts = Pick<IntakeParts, 'commits' | 'room'> & Pick<ListedSpool, 'counts'>

/** A function that returns whether there is room, after removing the oldest dead events if necessary. */
function createMakeRoom({ commits, room, counts }: MakeRoomParts): (bytes: number) => Promise<boolean> {
  return async (bytes) => {
    while (!room.isLeft(bytes)) {
      if (counts().dead === 0) return false
      const written = await commits.write(({ trim }, tx) => {
        const count = trim.oldestDead(tx, CROWDED_OUT_AT_ONCE)
        tx.crowdedOut += count
        return count
      }, 'reserve')
      if (written.kind === 'unavailable' || written.value === 0) return false
    }
    return true
  }
}
