import { existsSync, statSync } from 'node:fs'
import { openBootClock, type BootTime } from './boot-clock.ts'
import { createConnection, watchVersion, type Connection } from './connection.ts'
import type { SpoolTime } from './deadline-table.ts'
import { ifReadable, lastingReasonOf, storeProblem, type StoreProblem } from './errors.ts'
import { checkCreatable, spoolFiles, storesSetAside } from './files.ts'
import { createCommits } from './group-commit.ts'
import { createForwarding } from './store-forwarding.ts'
import { createIntake } from './intake.ts'
import { createDeliveryLock } from './lock.ts'
import { createStoredQueue } from './queue.ts'
import { createReserve } from './reserve.ts'
import { createRoom } from './room.ts'
import type { ListedSpool } from './listing.ts'
import type { DueEvent, DueListener, Progress } from './spool.ts'
import { createStoredDeadlines } from './stored-deadlines.ts'
import { examineStore } from './store.ts'
import { createUnwritten, type Remembered } from './unwritten.ts'
import { createWaiting } from './waiters.ts'

export interface SpoolOptions {
  /** Created with its parents if it does not exist; readable by its owner alone. */
  readonly directory: string
  /** Most pending events; dead ones have their own limit. */
  readonly limit: number
  /** Called with messages for people: that a damaged spool was set aside, and where it is now. */
  readonly onWarning: (message: string) => void
  /** Called with the number of the oldest dead events that were removed to make room. */
  readonly onCrowdedOut?: (count: number) => void
  /** Milliseconds since the epoch; by default from a clock that never steps. */
  readonly now?: () => number
  /** The clock that deadlines follow across restarts; by default the kernel's, unless `now` is given. */
  readonly boot?: (() => BootTime) | undefined
}

/**
 * Opens a spool. A problem with its directory or disk is reported as a warning, not as an error, and every write tries
 * again, so a relay keeps running whatever the disk does.
 */
export async function openSpool(options: SpoolOptions): Promise<ListedSpool> {
  const { directory, limit, onWarning, onCrowdedOut, now = steadyNow } = options
  const boot = options.now === undefined ? (options.boot ?? openBootClock()) : options.boot
  // Loaded here, so that only commands that keep events pay for the database.
  const sqlite = await import('node:sqlite')
  const files = spoolFiles(directory)
  const reserve = createReserve(directory, files.reserve)
  const connection = createConnection({ sqlite, directory, path: files.store, reserve, now, onWarning })
  const lock = createDeliveryLock(sqlite, directory, files)
  const room = createRoom({ directory, reserve, freeBytes: () => freeBytesOf(connection) })
  const due = createListeners<Parameters<DueListener>>()
  const changed = createListeners<[readonly number[]]>()
  const hasChanged = watchVersion(connection)
  const unwritten = createUnwritten()
  const waiting = createWaiting({
    progress: (id) => unwritten.progress(id) ?? storedProgress(connection, id),
    hasForeignChanges: () => ifReadable(hasChanged) ?? false,
  })
  const onChange = ({ settled, dueKeyIds, fresh = [] }: Changed, ids: readonly number[]): void => {
    waiting.settled(settled)
    if (dueKeyIds.size > 0 || fresh.length > 0) due.call(dueKeyIds, fresh)
    if (ids.length > 0) changed.call(ids)
  }
  const commits = createCommits({
    connection,
    onCommitted: (tx) => {
      if (tx.crowdedOut > 0) onCrowdedOut?.(tx.crowdedOut)
      onChange(tx, tx.changedIds)
    },
  })
  const onRemembered = (remembered: Remembered): void =>
    onChange(
      remembered,
      remembered.settled.map(({ id }) => id),
    )
  const stored = createStoredQueue({ connection, commits, unwritten, now, onRemembered })
  const time = (): SpoolTime => ({ nowMs: now(), boot: boot?.() })
  const problem = tryOpen(connection)
  if (problem !== undefined) onWarning(problem)
  return {
    ...createIntake({ connection, commits, unwritten, room, directory, limit, now, time }),
    deadlines: createStoredDeadlines({ connection, commits, room, time, limit }),
    waitFor: (ids, timeoutMs, signal) => waiting.waitFor(ids, timeoutMs, signal),
    onChange: changed.add,
    forwarding: createForwarding(connection, commits, time),
    watchOthers: () => {
      const watch = watchVersion(connection)
      const hasOtherChanged = (): boolean => ifReadable(watch) ?? false
      hasOtherChanged() // the first call is always true
      return hasOtherChanged
    },
    queue: { ...stored, tryLock: () => lock.tryTake(), releaseLock: () => lock.release(), onDue: due.add },
    close: async () => {
      await stored.close()
      commits.flush()
      lock.release()
      connection.close()
    },
  }
}

/** What others have to know about a change. */
interface Changed extends Remembered {
  readonly fresh?: readonly DueEvent[]
}

/** Milliseconds since the epoch when the process started, and from then on by a clock that never steps. */
function steadyNow(): number {
  return performance.timeOrigin + performance.now()
}

interface Listeners<Values extends readonly unknown[]> {
  /** Returns the way to stop that. */
  readonly add: (listener: (...values: Values) => void) => () => void
  readonly call: (...values: Values) => void
}

function createListeners<Values extends readonly unknown[]>(): Listeners<Values> {
  const listeners = new Set<(...values: Values) => void>()
  return {
    add: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    call: (...values) => {
      for (const listener of listeners) listener(...values)
    },
  }
}

/** The progress of an event as the store has it; pending with no attempts if the store cannot be read. */
function storedProgress(connection: Connection, id: number): Progress {
  const stored = ifReadable(() => connection.read(({ reads }) => reads.progress(id)))
  return stored ?? { id, status: 'pending', attempts: 0 }
}

/** Unused bytes in the store's file; 0 if that is not known. */
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

const NO_FILE: StoreProblem = {
  kind: 'unavailable',
  reason: 'spool.db in the directory of PAGERDUTY_SPOOL is not a regular file',
}

/** Whether events were ever kept in a directory, without loading the database. */
export function spoolExists(directory: string): boolean {
  return existsSync(spoolFiles(directory).store)
}

/** Why no spool could be created in a directory that has none; undefined if one could. Changes nothing. */
export function creationProblem(directory: string): StoreProblem | undefined {
  try {
    checkCreatable(directory)
    return undefined
  } catch (error) {
    const problem = storeProblem(error)
    if (problem === undefined) throw error
    return problem
  }
}

/** The state of a spool that is not open. */
export interface Examination {
  /** Undefined if there is none: the store is intact, or one could be created. */
  readonly problem: StoreProblem | undefined
  /** Names of the files of damaged stores. */
  readonly setAside: readonly string[]
}

/** Examines a spool without changing it: if its store is damaged, the next process that uses it sets it aside. */
export async function examineSpool(directory: string): Promise<Examination> {
  return { problem: await examine(directory), setAside: storesSetAside(directory) }
}

async function examine(directory: string): Promise<StoreProblem | undefined> {
  if (!spoolExists(directory)) return creationProblem(directory)
  const { store } = spoolFiles(directory)
  const sqlite = await import('node:sqlite')
  try {
    if (!statSync(store).isFile()) return NO_FILE // opening a pipe would block
    examineStore(sqlite, store)
    return undefined
  } catch (error) {
    const problem = storeProblem(error)
    if (problem === undefined) throw error
    return problem.kind === 'busy' ? undefined : problem
  }
}
