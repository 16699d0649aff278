import type { DatabaseSync } from 'node:sqlite'
import { createAttemptLog } from './attempt-log.ts'
import { createEndDeadlines } from './deadline-table.ts'
import { createRecordDeployments } from './deployment-table.ts'
import { incremented, readable, storableDue } from './numbers.ts'
import { createFindPlace } from './intern-key.ts'
import { checksumOf, type NewRow } from './rows.ts'
import type { RetryPreview } from './listing.ts'
import type { DueEvent, EventStatus, Progress, Settlement } from './spool.ts'
import { prepareGet, prepareRun } from './statements.ts'
import type { DeadRow, Superseding } from './superseding.ts'

/** What the changes of one transaction share. */
export interface Transaction {
  readonly nowMs: number
  /** The id of the next event; no id is used twice. */
  nextId: number
  /** Events of each status. */
  readonly counts: Record<EventStatus, number>
  /** Events that were added and may be attempted at once. */
  readonly fresh: DueEvent[]
  /** Keys that now have another event to attempt. */
  readonly dueKeyIds: Set<number>
  /** Events that are no longer pending. */
  readonly settled: Progress[]
  /** Events that were added or changed. */
  readonly changedIds: number[]
  /** How many dead events were removed to make room for others. */
  crowdedOut: number
}

/** Adds pending rows, all or none. Returns their ids, or undefined if they would exceed the limit. */
export type Add = (tx: Transaction, rows: readonly NewRow[], limit: number) => number[] | undefined

/** Writes the result of an attempt. Does nothing if the event is not pending. */
export type Settle = (tx: Transaction, settlement: Settlement) => void

/**
 * Makes dead events pending again, as if they had just been accepted: after the pending events of their alert, in the
 * given order.
 */
export type Revive = (tx: Transaction, ids: readonly number[], options: ReviveOptions) => RetryPreview

export interface ReviveOptions {
  /** Include those whose alert has a later trigger or resolve. */
  readonly evenSuperseded: boolean
  /** Only count them. */
  readonly isDryRun: boolean
}

/** Prepares the statements for adding. */
export function createAdd(db: DatabaseSync): Add {
  const findPlace = createFindPlace(db)
  const record = createRecordDeployments(db)
  const endDeadlines = createEndDeadlines(db)
  const insert = prepareRun(
    db,
    `INSERT INTO pending (id, key_id, kind, action, dedup_key, accepted_at, attempts, due_at, checksum, body)
     VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
  )
  const addOne = (
    tx: Transaction,
    { id = tx.nextId++, key, kind, action, dedupKey, body }: NewRow,
  ): number => {
    if (id >= tx.nextId) tx.nextId = id + 1 // reserved in a store that was replaced
    const { keyId, isBehind } = findPlace(key, dedupKey)
    const acceptedAtMs = Math.round(tx.nowMs)
    const checksum = checksumOf(key, kind, body)
    insert(id, keyId, kind, action, dedupKey, acceptedAtMs, isBehind ? null : 0, checksum, body)
    tx.counts.pending++
    tx.changedIds.push(id)
    if (!isBehind)
      tx.fresh.push({
        id,
        keyId,
        kind,
        ...(dedupKey !== null && { dedupKey }),
        body,
        attempts: 0,
        acceptedAtMs,
        checksum,
      })
    return id
  }
  return (tx, rows, limit) => {
    if (tx.counts.pending + rows.length > limit) return undefined
    const ids = rows.map((row) => addOne(tx, row))
    record.ofEvents(rows, ids)
    endDeadlines(rows)
    return ids
  }
}

/** Whether a key has a pending event of an alert. */
function prepareIsPending(db: DatabaseSync): (keyId: number, dedupKey: string) => unknown {
  return prepareGet(db, 'SELECT 1 FROM pending WHERE key_id = ? AND dedup_key = ? LIMIT 1')
}

interface SettledRow {
  readonly key_id: number
  readonly attempts: number
  /** The first other event of its alert. */
  readonly next_id: number | null
}

/** Prepares the statements for settling. */
export function createSettle(db: DatabaseSync): Settle {
  const move = createMove(db)
  const log = createAttemptLog(db)
  // Not `DELETE … RETURNING`: SQLite builds a table for what it returns, which costs twice as much as both of these.
  const find = prepareGet<SettledRow>(
    db,
    `SELECT key_id, ${readable('attempts')} AS attempts, (SELECT min(other.id) FROM pending AS other
       WHERE other.key_id = event.key_id AND other.dedup_key = event.dedup_key AND other.id <> event.id) AS next_id
     FROM pending AS event WHERE id = ?`,
  )
  const remove = prepareRun(db, 'DELETE FROM pending WHERE id = ?')
  const unblock = prepareRun(db, 'UPDATE pending SET due_at = 0 WHERE id = ?')
  const postpone = prepareRun(
    db,
    `UPDATE pending SET attempts = ${incremented('attempts')}, http_status = ?, reason = ?, due_at = ? WHERE id = ?`,
  )
  return (tx, settlement) => {
    const { kind, id, httpStatus } = settlement
    tx.changedIds.push(id)
    if (kind === 'postponed') {
      log.note(settlement, 0)
      postpone(httpStatus ?? null, settlement.reason, storableDue(settlement.dueAtMs, tx.nowMs), id)
      return
    }
    const found = find(id)
    if (found === undefined) return
    log.note(settlement, found.attempts)
    move(tx, settlement)
    remove(id)
    tx.counts.pending--
    tx.counts[kind]++
    tx.settled.push({
      id,
      status: kind,
      attempts: found.attempts + 1,
      ...(httpStatus !== undefined && { httpStatus }),
      ...(kind === 'dead' && { reason: settlement.reason }),
    })
    if (found.next_id !== null && unblock(found.next_id) > 0) tx.dueKeyIds.add(found.key_id)
  }
}

/** Copies a pending event to the table of its new status. */
function createMove(db: DatabaseSync): (tx: Transaction, settlement: Settlement) => void {
  const COLUMNS = `id, key_id, kind, action, dedup_key, accepted_at, ${incremented('attempts')}`
  const toDelivered = prepareRun(
    db,
    `INSERT INTO delivered SELECT ${COLUMNS}, ?, NULL, ? FROM pending WHERE id = ?`,
  )
  const toDead = prepareRun(
    db,
    `INSERT INTO dead SELECT ${COLUMNS}, ?, ?, ?, checksum, body FROM pending WHERE id = ?`,
  )
  return ({ nowMs }, settlement) => {
    const settledAtMs = Math.round(nowMs)
    if (settlement.kind === 'delivered') toDelivered(settlement.httpStatus, settledAtMs, settlement.id)
    if (settlement.kind === 'dead')
      toDead(settlement.httpStatus ?? null, settlement.reason, settledAtMs, settlement.id)
  }
}

interface RevivedRow extends DeadRow {
  readonly action: string | null
  readonly accepted_at: number
}

/** Prepares the statements for reviving. */
export function createRevive(db: DatabaseSync, superseding: Superseding): Revive {
  const find = prepareGet<RevivedRow>(
    db,
    `SELECT id, key_id, dedup_key, action, ${readable('accepted_at')} AS accepted_at FROM dead WHERE id = ?`,
  )
  const isPending = prepareIsPending(db)
  const copy = prepareRun(
    db,
    `INSERT INTO pending (id, key_id, kind, action, dedup_key, accepted_at, attempts, due_at, checksum, body)
     SELECT id, key_id, kind, action, dedup_key, ?, 0, ?, checksum, body FROM dead WHERE id = ?`,
  )
  const remove = prepareRun(db, 'DELETE FROM dead WHERE id = ?')
  const reviveOne = (tx: Transaction, { id, key_id: keyId, dedup_key: dedupKey }: DeadRow): void => {
    const isBehind = dedupKey !== null && isPending(keyId, dedupKey) !== undefined
    copy(Math.round(tx.nowMs), isBehind ? null : 0, id)
    remove(id)
    tx.counts.dead--
    tx.counts.pending++
    tx.changedIds.push(id)
    if (!isBehind) tx.dueKeyIds.add(keyId)
  }
  return (tx, ids, { evenSuperseded, isDryRun }) => {
    const isLeftOut = evenSuperseded ? () => false : superseding.isSuperseded()
    const found = ids.flatMap((id) => find(id) ?? [])
    const leftOut = new Set(found.filter(isLeftOut))
    const revived = found.filter((dead) => !leftOut.has(dead))
    if (!isDryRun) for (const dead of revived) reviveOne(tx, dead)
    const times = revived.map(({ accepted_at: atMs }) => atMs)
    return {
      retried: revived.length,
      leftOut: leftOut.size,
      triggers: revived.filter(({ action }) => action === 'trigger').length,
      ...(times.length > 0 && { oldestAtMs: Math.min(...times) }),
    }
  }
}
