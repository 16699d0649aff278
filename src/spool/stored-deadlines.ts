import type { Connection } from './connection.ts'
import type { SpoolTime } from './deadline-table.ts'
import type { Deadlines, Missed } from './deadlines.ts'
import { ifReadable } from './errors.ts'
import type { Commits } from './group-commit.ts'
import { NO_ROOM, type Room } from './room.ts'

export interface StoredDeadlinesOptions {
  readonly connection: Connection
  readonly commits: Commits
  readonly room: Room
  readonly time: () => SpoolTime
  /** The most pending events. */
  readonly limit: number
}

/** Deadlines as rows of a spool, so that they outlive the process that took them. */
export function createStoredDeadlines({
  connection,
  commits,
  room,
  time,
  limit,
}: StoredDeadlinesOptions): Deadlines {
  const nextInMs = (): number | undefined =>
    ifReadable(() => connection.read(({ reads }) => reads.nextDeadlineInMs(time())))
  return {
    begin: async (start) => {
      const bytes = Buffer.byteLength(JSON.stringify(start.event.body))
      if (!room.isLeft(bytes)) return { kind: 'unavailable', reason: NO_ROOM }
      const written = await commits.write(({ begin }, tx) => begin(tx, start, time()))
      return written.kind === 'written' ? written.value : written
    },
    expire: async () => {
      const missed: Missed[] = []
      for (;;) {
        const leftMs = nextInMs()
        if (leftMs === undefined || leftMs > 0) return { missed, nextInMs: leftMs }
        // An alert takes the place of its deadline, so it may use the space that is reserved for results.
        const written = await commits.write(({ expire }, tx) => expire(tx, { ...time(), limit }), 'reserve')
        if (written.kind === 'unavailable') return { missed, nextInMs: leftMs, problem: written.reason }
        missed.push(...written.value.missed)
        if (written.value.isFull) return { missed, nextInMs: leftMs, problem: FULL }
      }
    },
    counts: () =>
      ifReadable(() => connection.read(({ reads }) => reads.countDeadlines(time()))) ?? {
        open: 0,
        overdue: 0,
      },
  }
}

const FULL = 'the spool is full'
