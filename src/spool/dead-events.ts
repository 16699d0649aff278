import { Failure } from '../core/failure.ts'
import { orFailure } from './errors.ts'
import type { DeadFilter, Retried, Spool } from './spool.ts'
import type { Commits, Written } from './group-commit.ts'
import type { Connection } from './connection.ts'
import type { Store } from './store.ts'
import type { Transaction } from './changes.ts'

/** Dead events that one transaction changes. */
const AT_ONCE = 1000

/** Retries and discards dead events. */
export function createDeadEvents(connection: Connection, commits: Commits): Pick<Spool, 'retry' | 'discard'> {
  const readDead: Connection['read'] = (work) => orFailure(() => connection.read(work))
  const idsOf = (filter: DeadFilter): number[] =>
    readDead(({ reads }) => {
      if ('id' in filter) return [filter.id]
      if (!('matchesKey' in filter)) return reads.deadIds(undefined)
      const matching = reads.keys().filter(({ key }) => filter.matchesKey(key))
      return reads.deadIds(new Set(matching.map(({ keyId }) => keyId)))
    })
  const inParts = async <T>(
    ids: readonly number[],
    work: (store: Store, tx: Transaction, part: readonly number[]) => T,
  ): Promise<T[]> => {
    const results: T[] = []
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const part = ids.slice(from, from + AT_ONCE)
      const written: Written<T> = await commits.write((store, tx) => work(store, tx, part))
      if (written.kind === 'unavailable') throw new Failure('undelivered', written.reason)
      results.push(written.value)
    }
    return results
  }
  return {
    retry: async (filter) => {
      const parts = await inParts(idsOf(filter), ({ revive }, tx, ids) => revive(tx, ids, 'id' in filter))
      return parts.reduce<Retried>(
        (sum, { retried, leftOut }) => ({ retried: sum.retried + retried, leftOut: sum.leftOut + leftOut }),
        { retried: 0, leftOut: 0 },
      )
    },
    discard: async (filter) => {
      const parts = await inParts(idsOf(filter), ({ trim }, tx, ids) => trim.dead(tx, ids))
      return parts.reduce((sum, count) => sum + count, 0)
    },
  }
}
