import type { DatabaseSync } from 'node:sqlite'
import type { Transaction } from './changes.ts'
import { idsIn } from './deadline-changes.ts'
import { createReadDeadlines, type ReadDeadlines } from './deadline-forwarding.ts'
import type { Forwarding } from './forwarding.ts'
import { readable } from './numbers.ts'
import { toDueEvent, toKey, type DueRow, type KeyRow } from './rows.ts'
import { GIVEN_LIMIT, prepareAll, prepareGet, prepareRun } from './statements.ts'
import { createReadUntold, type ReadUntold } from './untold-table.ts'

/** The queries of `Forwarding`. */
export interface ForwardingReads extends Pick<Forwarding, 'oldest' | 'deploymentsOf' | 'eventsOfDeployment'> {
  /** See `Forwarding.deadlines`. */
  readonly heldDeadlines: ReadDeadlines
  /** See `Forwarding.untold`. */
  readonly untold: ReadUntold
}

export function createForwardingReads(db: DatabaseSync): ForwardingReads {
  return {
    oldest: createOldest(db),
    deploymentsOf: createDeploymentsOf(db),
    eventsOfDeployment: createEventsOfDeployment(db),
    heldDeadlines: createReadDeadlines(db),
    untold: createReadUntold(db),
  }
}

/** Its statements are prepared on first use: few spools are forwarded. */
function createOldest(db: DatabaseSync): Forwarding['oldest'] {
  let prepared: ((...values: number[]) => (DueRow & KeyRow)[]) | undefined
  return (limit, keys) => {
    prepared ??= prepareAll<DueRow & KeyRow>(
      db,
      `SELECT p.id, key_id, kind, dedup_key, ${readable('accepted_at')} AS accepted_at,
         ${readable('attempts')} AS attempts, ${readable('checksum')} AS checksum, name, secret, body
       FROM pending AS p JOIN keys ON keys.id = key_id WHERE ? OR secret IS NULL ORDER BY p.id ${GIVEN_LIMIT}`,
    )
    return prepared(keys === 'all' ? 1 : 0, limit).map((row) => ({ ...toDueEvent(row), key: toKey(row) }))
  }
}

function createDeploymentsOf(db: DatabaseSync): Forwarding['deploymentsOf'] {
  let prepared: ((id: number) => { deployment_id: number } | undefined) | undefined
  return (ids) => {
    const find = (prepared ??= prepareGet(
      db,
      'SELECT deployment_id FROM deployment_events WHERE event_id = ?',
    ))
    return ids.map((id) => find(id)?.deployment_id)
  }
}

function createEventsOfDeployment(db: DatabaseSync): Forwarding['eventsOfDeployment'] {
  let prepared: ((id: number) => { event_ids: string } | undefined) | undefined
  return (deployment) => {
    const find = (prepared ??= prepareGet(db, 'SELECT event_ids FROM deployments WHERE id = ?'))
    return idsIn(find(deployment)?.event_ids ?? '[]')
  }
}

/** Removes pending rows, and makes the next event of each of their alerts due. */
export type Remove = (tx: Transaction, ids: readonly number[]) => void

/** The change of `Forwarding`. */
export function createRemove(db: DatabaseSync): Remove {
  let prepared: Remove | undefined
  return (tx, ids) => (prepared ??= prepareRemove(db))(tx, ids)
}

function prepareRemove(db: DatabaseSync): Remove {
  const remove = prepareGet<Pick<DueRow, 'key_id' | 'dedup_key'>>(
    db,
    'DELETE FROM pending WHERE id = ? RETURNING key_id, dedup_key',
  )
  const unblockNext = prepareRun(
    db,
    `UPDATE pending SET due_at = 0
     WHERE id = (SELECT min(id) FROM pending WHERE key_id = ? AND dedup_key = ?) AND due_at IS NULL`,
  )
  return (tx, ids) => {
    for (const id of ids) {
      const removed = remove(id)
      if (removed === undefined) continue
      tx.counts.pending--
      tx.changedIds.push(id)
      const { key_id: keyId, dedup_key: dedupKey } = removed
      if (dedupKey !== null && unblockNext(keyId, dedupKey) > 0) tx.dueKeyIds.add(keyId)
    }
  }
}
