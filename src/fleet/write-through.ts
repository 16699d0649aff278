import type { AddResult, SpoolItem } from '../spool/spool.ts'
import type { NewRow } from '../spool/rows.ts'
import type { FleetItem } from './fleet-items.ts'
import { within } from './within.ts'

/** Where an event was written. */
export type Accepted = AddResult & {
  /** Absent if nothing was written. */
  readonly by?: 'fleet' | 'spool'
}

/**
 * Writes events to the fleet while their callers wait. If the fleet does not answer in time, events go to the relay's own spool
 * until that is empty again, so that a relay's events keep their order.
 */
export interface WriteThrough {
  /** Keeps all items of one request or none. Never rejects. */
  add(items: readonly SpoolItem[]): Promise<Accepted>
  /** Writes events to the spool from now on, and what still waits for the fleet. */
  fallBack(): void
  /** Holds new events back, and resolves when no event is being written to the spool. */
  hold(): Promise<void>
  /** Writes to the fleet again, first what was held back; unless something was written to the spool since `hold`. */
  open(): void
  mode(): Mode
}

/** `spool`: everything goes to the spool. `held`: events wait until it is clear where they go. */
export type Mode = 'fleet' | 'spool' | 'held'

export interface WriteThroughDeps {
  /** Adds items to the fleet. */
  readonly addToFleet: (items: readonly FleetItem[]) => Promise<readonly number[]>
  /** Adds items to the spool, under ids that were reserved. */
  readonly addToSpool: (items: readonly SpoolItem[], ids: readonly number[] | undefined) => Promise<AddResult>
  /** Ids of the spool that are used for nothing else; undefined if there are none now. */
  readonly takeIds: (count: number) => readonly number[] | undefined
  /** Waits until there are ids, or it is clear that the disk does not work. */
  readonly awaitIds: () => Promise<void>
  readonly toRow: (item: SpoolItem) => NewRow
  /** An id for an event that gets none of the spool's. */
  readonly randomId: () => string
  /** Called when the fleet does not answer in time. */
  readonly onFallBack: () => void
  /** Called with items that the fleet has now, and their ids. */
  readonly onAdded: (items: readonly SpoolItem[], ids: readonly number[]) => void
}

/** Events in one statement. */
export const AT_ONCE = 256
/** Statements at the same time: the second one takes what arrived while the first is being synced. */
const MAX_IN_FLIGHT = 2
/** How long the fleet may take before an event goes to the spool. */
export const BUDGET_MS = 1000

interface Job {
  readonly items: readonly SpoolItem[]
  readonly rows: readonly Omit<FleetItem, 'originId'>[]
  /** Ids of the spool, under which the fleet knows the events as well; undefined while there are none. */
  ids: readonly number[] | undefined
  readonly resolve: (accepted: Accepted) => void
}

/** Holds events back until it is opened or falls back. */
export function createWriteThrough(deps: WriteThroughDeps): WriteThrough {
  const toJob = createToJob(deps)
  const spooling = createSpooling(deps)
  let mode: Mode = 'held'
  let waiting: Job[] = []
  const inFlight = new Set<readonly Job[]>()
  let isScheduled = false

  const fallBack = (): void => {
    mode = 'spool'
    spooling.keep(waiting)
    waiting = []
  }
  const write = async (jobs: readonly Job[]): Promise<void> => {
    inFlight.add(jobs)
    try {
      await writeToFleet(jobs, deps)
    } catch {
      spooling.keepAgain(jobs)
      if (mode === 'fleet') deps.onFallBack()
      fallBack()
    } finally {
      inFlight.delete(jobs)
      schedule()
    }
  }
  const writeNext = (): void => {
    isScheduled = false
    if (mode !== 'fleet' || waiting.length === 0 || !mayStart(waiting, inFlight)) return
    const count = jobsThatFit(waiting)
    const jobs = waiting.slice(0, count)
    waiting = waiting.slice(count)
    void write(jobs)
    schedule()
  }
  const schedule = (): void => {
    if (isScheduled || waiting.length === 0) return
    isScheduled = true
    setImmediate(writeNext)
  }
  return {
    add: (items) =>
      new Promise((resolve) => {
        const job = toJob(items, resolve)
        if (mode === 'spool') return spooling.keep([job])
        waiting.push(job)
        schedule()
      }),
    fallBack,
    hold: async () => {
      mode = 'held'
      await spooling.idle()
    },
    open: () => {
      if (mode !== 'held') return // an earlier statement has failed since `hold`, and its events are in the spool
      mode = 'fleet'
      schedule()
    },
    mode: () => mode,
  }
}

function createToJob({
  takeIds,
  toRow,
}: WriteThroughDeps): (items: readonly SpoolItem[], resolve: Job['resolve']) => Job {
  let requests = 0
  return (items, resolve) => {
    const request = ++requests
    const rows = items.map((item) => ({ ...toRow(item), request, ageMs: 0 }))
    return { items, rows, ids: takeIds(items.length), resolve }
  }
}

/** Gives ids to the jobs that have none yet, unless the disk does not work. */
async function nameJobs(jobs: readonly Job[], { takeIds, awaitIds }: WriteThroughDeps): Promise<void> {
  if (jobs.every(({ ids }) => ids !== undefined)) return
  await awaitIds()
  for (const job of jobs) job.ids ??= takeIds(job.items.length)
}

/** Writes jobs in one statement. @throws Failure if the fleet does not answer in time */
async function writeToFleet(jobs: readonly Job[], deps: WriteThroughDeps): Promise<void> {
  const { addToFleet, randomId, onAdded } = deps
  await nameJobs(jobs, deps)
  const items = jobs.flatMap(({ rows, ids: own }) =>
    rows.map((row, index) => ({ ...row, originId: String(own?.[index] ?? randomId()) })),
  )
  const ids = await within(BUDGET_MS, addToFleet(items))
  let from = 0
  for (const job of jobs) {
    const own = ids.slice(from, (from += job.items.length))
    onAdded(job.items, own)
    job.resolve({ kind: 'added', ids: own, by: 'fleet' })
  }
}

/** Jobs that go to the spool. */
interface Spooling {
  readonly keep: (jobs: readonly Job[]) => void
  /** Keeps jobs that the fleet may have after all. Without the same id in both, an event would be delivered twice. */
  readonly keepAgain: (jobs: readonly Job[]) => void
  /** Resolves when all are written. */
  readonly idle: () => Promise<void>
}

const UNKNOWN_OUTCOME = 'neither the database nor the disk of the spool answered in time'

function createSpooling({ addToSpool }: WriteThroughDeps): Spooling {
  const writing = new Set<Promise<void>>()
  const keepOne = async ({ items, ids, resolve }: Job): Promise<void> => {
    const result = await addToSpool(items, ids)
    resolve(result.kind === 'added' ? { ...result, by: 'spool' } : result)
  }
  const keep = (jobs: readonly Job[]): void => {
    for (const job of jobs) {
      const kept = keepOne(job).finally(() => writing.delete(kept))
      writing.add(kept)
    }
  }
  return {
    keep,
    keepAgain: (jobs) => {
      keep(jobs.filter(({ ids }) => ids !== undefined))
      for (const { ids, resolve } of jobs)
        if (ids === undefined) resolve({ kind: 'unavailable', reason: UNKNOWN_OUTCOME })
    },
    idle: async () => {
      while (writing.size > 0) await Promise.all(writing)
    },
  }
}

/** A statement costs as much as ten events, so a small one does not start beside a large one. */
function mayStart(jobs: readonly Job[], inFlight: ReadonlySet<readonly Job[]>): boolean {
  return inFlight.size < MAX_IN_FLIGHT && [...inFlight].every(({ length }) => jobs.length >= length)
}

/** How many of the jobs one statement takes; one at least. */
function jobsThatFit(jobs: readonly Job[]): number {
  let events = 0
  let count = 0
  for (const { rows } of jobs) {
    events += rows.length
    if (events > AT_ONCE && count > 0) break
    count++
  }
  return count
}
