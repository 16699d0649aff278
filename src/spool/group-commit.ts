import type { Connection } from './connection.ts'
import { storeProblem, type StoreProblem, type Unavailable } from './errors.ts'
import type { Store } from './store.ts'
import type { Transaction } from './changes.ts'

/** The result of some work, synced to disk, or why nothing was changed. */
export type Written<T> = { readonly kind: 'written'; readonly value: T } | Unavailable

/** Group commit: all work of one turn of the event loop shares one transaction and one sync. */
export interface Commits {
  /**
   * Resolves when the work is synced to disk. Rejects only because of a bug.
   * @param use `reserve` if the work may use the space that is reserved for results
   */
  write<T>(work: (store: Store, tx: Transaction) => T, use?: 'reserve'): Promise<Written<T>>
  /** Does the waiting work now. */
  flush(): void
}

export interface CommitsOptions {
  readonly connection: Connection
  /** Called after each commit. */
  readonly onCommitted: (tx: Transaction) => void
}

interface Job {
  readonly mayUseReserve: boolean
  readonly work: (store: Store, tx: Transaction) => unknown
  readonly settle: (written: Written<unknown>) => void
  readonly reject: (error: unknown) => void
}

/** Most jobs in one transaction, which blocks the event loop and all other writers. */
const MAX_JOBS = 2000
/** How long to wait for other processes' transactions before a write fails. */
const MAX_BUSY_MS = 5000
const BUSY_PAUSE_MS = 20

/** Group commit over a connection. */
export function createCommits(options: CommitsOptions): Commits {
  const waiting: Job[] = []
  const commit = createCommit(options)
  let isScheduled = false

  const schedule = (pauseMs?: number): void => {
    if (isScheduled) return
    isScheduled = true
    if (pauseMs === undefined) setImmediate(commitNext)
    else setTimeout(commitNext, pauseMs)
  }
  const commitSome = (): 'done' | 'busy' => {
    const jobs = waiting.splice(0, MAX_JOBS)
    const result = commit(jobs)
    if (result === 'busy') waiting.unshift(...jobs)
    return result
  }
  const commitNext = (): void => {
    isScheduled = false
    const result = commitSome()
    if (waiting.length > 0) schedule(result === 'busy' ? BUSY_PAUSE_MS : undefined)
  }
  return {
    write: <T>(work: (store: Store, tx: Transaction) => T, use?: 'reserve') =>
      new Promise<Written<T>>((resolve, reject) => {
        const settle = (written: Written<unknown>): void => resolve(written as Written<T>)
        waiting.push({ mayUseReserve: use === 'reserve', work, settle, reject })
        schedule()
      }),
    flush: () => {
      while (waiting.length > 0) commitSome()
    },
  }
}

/** Does jobs in one transaction and settles each; `busy` if the caller should try them again. */
function createCommit({
  connection,
  onCommitted,
}: CommitsOptions): (jobs: readonly Job[]) => 'done' | 'busy' {
  let busySinceMs: number | undefined
  const isWorthWaiting = (): boolean => {
    busySinceMs ??= performance.now()
    return performance.now() - busySinceMs < MAX_BUSY_MS
  }
  const commit = (jobs: readonly Job[], isRelieved = false): 'done' | 'busy' => {
    if (jobs.length === 0) return 'done'
    try {
      const { values, tx } = connection.transact((store, transaction) => {
        const results = jobs.map(({ work }) => work(store, transaction))
        store.trim.excess(transaction)
        return { values: results, tx: transaction }
      })
      onCommitted(tx)
      for (const [index, value] of values.entries()) jobs[index]?.settle({ kind: 'written', value })
    } catch (error) {
      const problem = storeProblem(error)
      if (problem?.kind === 'busy' && isWorthWaiting()) return 'busy'
      if (problem?.kind === 'unavailable' && !isRelieved && jobs.some(({ mayUseReserve }) => mayUseReserve)) {
        connection.relieve()
        for (const part of partsOf(jobs)) commit(part, true)
      }
      // A job that does not fit on a full disk must not keep the others from being written.
      else if (problem?.kind === 'unavailable' && jobs.length > 1)
        for (const job of jobs) commit([job], isRelieved)
      else for (const job of jobs) giveUp(job, error, problem)
    }
    busySinceMs = undefined
    return 'done'
  }
  return commit
}

/** The jobs that may use the reserve, together, and then each of the others. */
function partsOf(jobs: readonly Job[]): Job[][] {
  const others = jobs.filter(({ mayUseReserve }) => !mayUseReserve)
  return [jobs.filter(({ mayUseReserve }) => mayUseReserve), ...others.map((job) => [job])]
}

function giveUp(job: Job, error: unknown, problem: StoreProblem | undefined): void {
  if (problem === undefined) job.reject(error)
  else job.settle({ ...problem, kind: 'unavailable' })
}
