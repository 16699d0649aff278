import { Failure } from '../core/failure.ts'
import { orFailure } from './errors.ts'
import { findEvents } from './find-events.ts'
import type { ListedSpool, RetryPreview } from './listing.ts'
import type { DeadFilter } from './spool.ts'
import type { Commits, Written } from './group-commit.ts'
import type { Connection } from './connection.ts'
import type { Store } from './store.ts'
import type { Transaction } from './changes.ts'

/** Dead events that one transaction changes. */
const AT_ONCE = 1000

type DeadEvents = Pick<ListedSpool, 'retry' | 'previewRetry' | 'discard' | 'discardOne'>

/** What people do with dead events. */
export function createDeadEvents(connection: Connection, commits: Commits): DeadEvents {
  const idsOf = (filter: DeadFilter): number[] => {
    if ('id' in filter) return [filter.id]
    const search = { ...filter, statuses: ['dead'], limit: Number.MAX_SAFE_INTEGER } as const
    const found = orFailure(() => connection.read(({ reads }) => findEvents(reads, search)))
    return found.map(({ id }) => id).toReversed()
  }
  const write = async <T>(work: (store: Store, tx: Transaction) => T): Promise<T> => {
    const written: Written<T> = await commits.write(work)
    if (written.kind === 'unavailable') throw new Failure('undelivered', written.reason)
    return written.value
  }
  const inParts = async <T>(
    ids: readonly number[],
    work: (store: Store, tx: Transaction, part: readonly number[]) => T,
  ): Promise<T[]> => {
    const results: T[] = []
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const part = ids.slice(from, from + AT_ONCE)
      results.push(await write((store, tx) => work(store, tx, part)))
    }
    return results
  }
  const revive = async (filter: DeadFilter, isDryRun: boolean): Promise<RetryPreview> => {
    const options = { evenSuperseded: 'id' in filter, isDryRun }
    const parts = await inParts(idsOf(filter), (store, tx, ids) => store.revive(tx, ids, options))
    const sum = (count: (part: RetryPreview) => number): number =>
      parts.reduce((total, part) => total + count(part), 0)
    const times = parts.flatMap(({ oldestAtMs }) => oldestAtMs ?? [])
    return {
      retried: sum(({ retried }) => retried),
      leftOut: sum(({ leftOut }) => leftOut),
      triggers: sum(({ triggers }) => triggers),
      ...(times.length > 0 && { oldestAtMs: Math.min(...times) }),
    }
  }
  return {
    retry: async (filter) => {
      const { retried, leftOut } = await revive(filter, false)
      return { retried, leftOut }
    },
    previewRetry: (filter) => revive(filter, true),
    discardOne: (id, note) => write(({ discard }, tx) => discard(tx, id, note)),
    discard: async (filter) => {
      const parts = await inParts(idsOf(filter), ({ trim }, tx, ids) => trim.dead(tx, ids))
      return parts.reduce((sum, count) => sum + count, 0)
    },
  }
}
