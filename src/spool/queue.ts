import { watchVersion, type Connection } from './connection.ts'
import { ifReadable, lastingReasonOf } from './errors.ts'
import type { Commits } from './group-commit.ts'
import type { Settlement, SpoolQueue } from './spool.ts'
import type { Store } from './store.ts'
import type { Remembered, Unwritten } from './unwritten.ts'

/** The queue of one spool, without the delivery lock and the listeners. */
export interface StoredQueue extends Omit<SpoolQueue, 'tryLock' | 'releaseLock' | 'onDue'> {
  /** Tries once more to write the results that are only in memory. */
  close(): Promise<void>
}

export interface StoredQueueOptions {
  readonly connection: Connection
  readonly commits: Commits
  readonly unwritten: Unwritten
  readonly now: () => number
  /** Called with results that are kept in memory, as for committed ones. */
  readonly onRemembered: (remembered: Remembered) => void
}

/** Reads the events to deliver, and writes results, or keeps them in memory until they can be written. */
export function createStoredQueue(options: StoredQueueOptions): StoredQueue {
  const { connection, commits, unwritten, now } = options
  const write = async (work: (store: Store, nowMs: number) => void): Promise<string | undefined> => {
    const written = await commits.write((store, tx) => work(store, tx.nowMs), 'reserve')
    return written.kind === 'written' ? undefined : written.reason
  }
  return {
    now,
    dueKeys: () => {
      const ready = [...unwritten.readyKeyIds()].map((keyId) => ({ keyId, dueAtMs: 0 }))
      return [...ready, ...connection.read(({ reads }) => reads.dueKeys(now()))]
    },
    key: (keyId) => connection.read(({ reads }) => reads.key(keyId)),
    due: (keyId, kind, wanted) =>
      connection.read(({ reads }) =>
        unwritten.size() > 0
          ? unwritten.due(reads, { keyId, kind, options: wanted })
          : reads.due(keyId, kind, wanted),
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
    clampDue: (latestMs, keyId) => write(({ clampDue }) => clampDue(latestMs, keyId)),
    repairDueTimes: () => write(({ repairDueTimes }, nowMs) => repairDueTimes(nowMs)),
    tidy: async () => {
      await commits.write(({ tidy }) => tidy())
      try {
        connection.maintain(({ shrink }) => shrink())
      } catch (error) {
        lastingReasonOf(error) // the next call may succeed
      }
    },
    ...createSettling(options),
  }
}

/** How long results stay in memory after a write failed, before the next try. */
const REWRITE_MS = 500
/** Most results in one write. */
const WRITTEN_AT_ONCE = 500

function createSettling({
  connection,
  commits,
  unwritten,
  onRemembered,
}: StoredQueueOptions): Pick<StoredQueue, 'settle' | 'unwritten' | 'close'> {
  let failure: { readonly reason: string; readonly untilMs: number } | undefined
  let writing: Promise<string | undefined> | undefined

  const write = async (settlements: readonly Settlement[]): Promise<string | undefined> => {
    const written = await commits.write(({ settle }, tx) => {
      for (const settlement of settlements) settle(tx, settlement)
    }, 'reserve')
    return written.kind === 'written' ? undefined : written.reason
  }
  const remember = (settlements: readonly Settlement[]): void => {
    const remembered = ifReadable(() =>
      connection.read(({ reads }) => unwritten.remember(reads, settlements)),
    )
    if (remembered !== undefined) onRemembered(remembered)
  }
  const note = (reason: string | undefined): string | undefined => {
    failure = reason === undefined ? undefined : { reason, untilMs: performance.now() + REWRITE_MS }
    return reason
  }
  const writeRemembered = async (): Promise<string | undefined> => {
    while (unwritten.size() > 0) {
      const some = unwritten.take(WRITTEN_AT_ONCE)
      const reason = await write(some)
      if (reason !== undefined) return note(reason)
      unwritten.forget(some.length)
    }
    return note(undefined)
  }
  const startWriting = (): Promise<string | undefined> =>
    (writing ??= writeRemembered().finally(() => (writing = undefined)))
  return {
    unwritten: () => unwritten.size(),
    settle: async (settlements) => {
      if (unwritten.size() === 0) {
        const reason = await write(settlements)
        if (reason === undefined || settlements.length === 0) return reason
        note(reason)
        remember(settlements)
        return reason
      }
      remember(settlements)
      if (failure !== undefined && performance.now() < failure.untilMs) return failure.reason
      return await startWriting()
    },
    close: async () => {
      if (unwritten.size() > 0) await startWriting()
    },
  }
}
