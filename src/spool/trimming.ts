import type { DatabaseSync } from 'node:sqlite'
import type { GiveUp } from './deployment-table.ts'
import { GIVEN_LIMIT, prepareRun } from './statements.ts'
import type { Superseding } from './superseding.ts'
import type { Transaction } from './changes.ts'

/** Delivered events that are kept for the list. */
const KEPT_DELIVERED = 10_000
/** How many more there may be before the oldest are removed, all at once. */
const KEPT_SLACK = 1000
/** Dead events that are kept: callers with stale keys must not fill the disk. */
export const KEPT_DEAD = 10_000

/** Removes events that are kept only for people to read. */
export interface Trim {
  /** Removes the oldest events beyond those limits, at the end of a transaction. */
  readonly excess: (tx: Transaction) => void
  /** Removes the oldest dead events to make room for new events. Returns how many. */
  readonly oldestDead: (tx: Transaction, count: number) => number
  /** Removes these dead events. Returns how many there were. */
  readonly dead: (tx: Transaction, ids: readonly number[]) => number
}

/** Prepares the statements for trimming. */
export function createTrim(db: DatabaseSync, superseding: Superseding, giveUp: GiveUp): Trim {
  const oldest = (table: 'delivered' | 'dead') =>
    prepareRun(db, `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} ORDER BY id ${GIVEN_LIMIT})`)
  const removeDelivered = oldest('delivered')
  const removeOldestDead = oldest('dead')
  const removeDead = prepareRun(db, 'DELETE FROM dead WHERE id = ?')
  const oldestDead = ({ counts }: Transaction, count: number): number => {
    giveUp.oldest(count)
    const removed = removeOldestDead(count)
    counts.dead -= removed
    return removed
  }
  return {
    excess: (tx) => {
      const { counts } = tx
      if (counts.dead > KEPT_DEAD) tx.crowdedOut += oldestDead(tx, counts.dead - KEPT_DEAD)
      if (counts.delivered <= KEPT_DELIVERED + KEPT_SLACK) return
      const count = counts.delivered - KEPT_DELIVERED
      if (counts.dead > 0) superseding.remember(count)
      counts.delivered -= removeDelivered(count)
    },
    oldestDead,
    dead: ({ counts, changedIds }, ids) => {
      changedIds.push(...ids)
      for (const id of ids) giveUp.one(id)
      const removed = ids.reduce((total, id) => total + removeDead(id), 0)
      counts.dead -= removed
      return removed
    },
  }
}
