import type { DatabaseSync } from 'node:sqlite'
import type { Event } from '../core/event.ts'
import type {
  Due,
  DueEvent,
  DueKey,
  DueOptions,
  EventStatus,
  Progress,
  SpoolCounts,
  SpoolEntry,
  SpoolKey,
} from './spool.ts'
import { createDeadlineReads, type DeadlineReads } from './deadline-table.ts'
import { createDeploymentReads, type DeploymentReads } from './deployment-reads.ts'
import { createBrowse, type Browse } from './browsing.ts'
import { createForwardingReads, type ForwardingReads } from './forwarding-statements.ts'
import { toDueEvent, toEntry, toKey, type DueRow, type EntryRow, type KeyRow } from './rows.ts'
import { readable, soonest } from './numbers.ts'
import { GIVEN_LIMIT, prepareAll, prepareGet } from './statements.ts'

/** The queries of a store. Each one uses an index or reads page by page. */
export interface Reads extends Browse, DeploymentReads, DeadlineReads, ForwardingReads {
  counts(): SpoolCounts
  oldestPendingAtMs(): number | undefined
  list(status: EventStatus, limit: number, afterId: number): SpoolEntry[]
  /** The progress of an event; one that is no longer in the store was delivered. */
  progress(id: number): Progress
  key(keyId: number): SpoolKey | undefined
  keys(): { readonly keyId: number; readonly key: SpoolKey }[]
  findKey(key: SpoolKey): number | undefined
  isAlertPending(keyId: number, dedupKey: string): boolean
  hasEarlier(keyId: number, dedupKey: string, id: number): boolean
  dueKeys(nowMs: number): DueKey[]
  due(keyId: number, kind: Event['kind'], options: DueOptions): Due
  /** A pending event, ready for an attempt. */
  dueEvent(id: number): DueEvent | undefined
  /** The columns of a pending event that settling needs. */
  pending(
    id: number,
  ): { readonly keyId: number; readonly dedupKey?: string; readonly attempts: number } | undefined
  /** The next pending event of an alert. */
  nextOfAlert(keyId: number, dedupKey: string, afterId: number): number | undefined
  deliveriesSince(sinceMs: number): { keyId: number; atMs: number }[]
  /** A number that changes whenever another connection has changed the store. */
  version(): number
}

/** Prepares the queries. */
export function createReads(db: DatabaseSync): Reads {
  const counts = prepareGet<SpoolCounts>(db, 'SELECT pending, delivered, dead FROM state')
  const oldest = prepareGet<{ accepted_at: number }>(
    db,
    `SELECT ${readable('accepted_at')} AS accepted_at FROM pending ORDER BY id LIMIT 1`,
  )
  const keys = prepareAll<KeyRow & { id: number }>(db, 'SELECT id, name, secret FROM keys')
  const oneKey = prepareGet<KeyRow>(db, 'SELECT name, secret FROM keys WHERE id = ?')
  const findName = prepareGet<{ id: number }>(db, 'SELECT id FROM keys WHERE name = ?')
  const findSecret = prepareGet<{ id: number }>(db, 'SELECT id FROM keys WHERE secret = ?')
  const earlier = prepareGet(
    db,
    'SELECT 1 FROM pending WHERE key_id = ? AND dedup_key = ? AND id < ? LIMIT 1',
  )
  const deliveries = prepareAll<{ keyId: number; atMs: number }>(
    db,
    `SELECT key_id AS keyId, ${readable('settled_at')} AS atMs FROM delivered WHERE settled_at > ?`,
  )
  const version = prepareGet<{ data_version: number }>(db, 'PRAGMA data_version')
  return {
    ...createAlertReads(db),
    ...createDueReads(db),
    ...createListReads(db),
    ...createDeploymentReads(db),
    ...createDeadlineReads(db),
    ...createBrowse(db),
    ...createForwardingReads(db),
    counts: () => ({ pending: 0, delivered: 0, dead: 0, ...counts() }),
    oldestPendingAtMs: () => oldest()?.accepted_at,
    key: (keyId) => {
      const row = oneKey(keyId)
      return row === undefined ? undefined : toKey(row)
    },
    keys: () => keys().map((row) => ({ keyId: row.id, key: toKey(row) })),
    findKey: (key) => (key.kind === 'own' ? findSecret(key.key.reveal()) : findName(key.name))?.id,
    hasEarlier: (keyId, dedupKey, id) => earlier(keyId, dedupKey, id) !== undefined,
    deliveriesSince: (sinceMs) => deliveries(sinceMs),
    version: () => version()?.data_version ?? 0,
  }
}

function createListReads(db: DatabaseSync): Pick<Reads, 'list' | 'progress'> {
  const from = (table: EventStatus): string =>
    `SELECT e.id, kind, action, dedup_key, ${readable('accepted_at')} AS accepted_at,
       ${readable('attempts')} AS attempts, ${readable('http_status')} AS http_status, reason, name, secret
     FROM ${table} AS e LEFT JOIN keys ON keys.id = key_id`
  const prepare = (table: EventStatus) => ({
    page: prepareAll<EntryRow>(db, `${from(table)} WHERE e.id > ? ORDER BY e.id ${GIVEN_LIMIT}`),
    one: prepareGet<EntryRow>(db, `${from(table)} WHERE e.id = ?`),
  })
  const tables = { pending: prepare('pending'), dead: prepare('dead'), delivered: prepare('delivered') }
  return {
    list: (status, limit, afterId) => tables[status].page(afterId, limit).map((row) => toEntry(row, status)),
    progress: (id) => {
      for (const status of ['pending', 'dead', 'delivered'] as const) {
        const row = tables[status].one(id)
        if (row !== undefined) return toEntry(row, status)
      }
      return { id, status: 'delivered', attempts: 1 }
    },
  }
}

function createAlertReads(db: DatabaseSync): Pick<Reads, 'pending' | 'nextOfAlert' | 'isAlertPending'> {
  const isPending = prepareGet(db, 'SELECT 1 FROM pending WHERE key_id = ? AND dedup_key = ? LIMIT 1')
  const pending = prepareGet<Pick<DueRow, 'key_id' | 'dedup_key' | 'attempts'>>(
    db,
    `SELECT key_id, dedup_key, ${readable('attempts')} AS attempts FROM pending WHERE id = ?`,
  )
  const next = prepareGet<{ id: number | null }>(
    db,
    'SELECT min(id) AS id FROM pending WHERE key_id = ? AND dedup_key = ? AND id > ?',
  )
  return {
    isAlertPending: (keyId, dedupKey) => isPending(keyId, dedupKey) !== undefined,
    pending: (id) => {
      const row = pending(id)
      if (row === undefined) return undefined
      const { key_id: keyId, dedup_key: dedupKey, attempts } = row
      return { keyId, ...(dedupKey !== null && { dedupKey }), attempts }
    },
    nextOfAlert: (keyId, dedupKey, afterId) => next(keyId, dedupKey, afterId)?.id ?? undefined,
  }
}

/** An event that waits for a time: 0 if it was never tried. */
interface WaitingRow {
  readonly id: number
  readonly dueAtMs: number
}

function createDueReads(db: DatabaseSync): Pick<Reads, 'dueKeys' | 'due' | 'dueEvent'> {
  // There are few keys and many events, so look into the index twice for each key.
  const earliest = (kind: Event['kind']): string =>
    `(SELECT ${readable('min(due_at)')} FROM pending WHERE key_id = keys.id AND kind = '${kind}' AND due_at IS NOT NULL)`
  const dueKeys = prepareAll<{ keyId: number; alertAtMs: number | null; changeAtMs: number | null }>(
    db,
    `SELECT id AS keyId, ${earliest('alert')} AS alertAtMs, ${earliest('change')} AS changeAtMs FROM keys`,
  )
  const select = `SELECT id, ${readable('due_at')} AS dueAtMs FROM pending WHERE key_id = ? AND kind = ?`
  const first = prepareAll<WaitingRow>(
    db,
    `${select} AND due_at IS NOT NULL ORDER BY due_at, id ${GIVEN_LIMIT}`,
  )
  const tried = prepareAll<WaitingRow>(db, `${select} AND due_at > 0 ORDER BY due_at, id ${GIVEN_LIMIT}`)
  const newest = prepareAll<WaitingRow>(db, `${select} AND due_at = 0 ORDER BY id DESC ${GIVEN_LIMIT}`)
  const row = prepareGet<DueRow>(
    db,
    `SELECT id, key_id, kind, dedup_key, ${readable('accepted_at')} AS accepted_at, ${readable('attempts')} AS attempts,
       ${readable('checksum')} AS checksum, body FROM pending WHERE id = ?`,
  )
  const dueEvent = (id: number): DueEvent | undefined => {
    const found = row(id)
    return found === undefined ? undefined : toDueEvent(found)
  }
  return {
    dueEvent,
    dueKeys: (nowMs) =>
      dueKeys().flatMap(({ keyId, alertAtMs, changeAtMs }) => {
        const times = [alertAtMs, changeAtMs].filter((atMs) => atMs !== null)
        return times.length === 0
          ? []
          : [{ keyId, dueAtMs: Math.min(...times.map((atMs) => soonest(atMs, nowMs))) }]
      }),
    due: (keyId, kind, options) => {
      const { nowMs, exclude, isNewestFirst } = options
      const limit = Math.min(options.limit, options.fresh + options.tried)
      if (limit === 0) return NONE_WANTED
      // Excluded events are at the front of each range, so read as many more, and one for the time of the next.
      const most = limit + exclude.size + 1
      const found = first(keyId, kind, most)
      if (found.length === 0) return NOTHING_DUE // most keys have events of one kind
      const waiting = bounded(found, nowMs)
      const isAll = waiting.length < most
      const again = isAll
        ? waiting.filter(({ dueAtMs }) => dueAtMs > 0)
        : bounded(tried(keyId, kind, most), nowMs)
      const fresh = isNewestFirst && !isAll ? newest(keyId, kind, most) : waiting.filter(isFresh)
      const { taken, isMore } = chooseDue({ fresh, again, isReversed: isNewestFirst && isAll }, options)
      return {
        events: taken.flatMap(({ id }) => dueEvent(id) ?? []),
        isMore,
        nextAtMs: again.find(({ dueAtMs }) => dueAtMs > nowMs)?.dueAtMs,
      }
    },
  }
}

const NOTHING_DUE: Due = { events: [], isMore: false, nextAtMs: undefined }
/** While a key pauses, every accepted event asks for its due events. There may be some, so it is asked again afterwards. */
const NONE_WANTED: Due = { ...NOTHING_DUE, isMore: true }

interface Candidates {
  /** Events that were never tried. */
  readonly fresh: readonly WaitingRow[]
  /** Events that were tried, by the time of their next attempt. */
  readonly again: readonly WaitingRow[]
  /** Whether to take `fresh` from its end. */
  readonly isReversed: boolean
}

/** Chooses which events to attempt now, and whether others are due, too. */
function chooseDue(
  { fresh, again, isReversed }: Candidates,
  { nowMs, exclude, limit, ...most }: DueOptions,
): { taken: readonly WaitingRow[]; isMore: boolean } {
  const isWanted = ({ id }: WaitingRow): boolean => !exclude.has(id)
  const dueFresh = fresh.filter(isWanted)
  const dueAgain = again.filter(({ dueAtMs }) => dueAtMs <= nowMs).filter(isWanted)
  if (isReversed) dueFresh.reverse()
  const taken = inTurns(dueAgain.slice(0, most.tried), dueFresh.slice(0, most.fresh)).slice(0, limit)
  return { taken, isMore: dueFresh.length + dueAgain.length > taken.length }
}

function bounded(rows: readonly WaitingRow[], nowMs: number): WaitingRow[] {
  return rows.map(({ id, dueAtMs }) => ({ id, dueAtMs: soonest(dueAtMs, nowMs) }))
}

function isFresh({ dueAtMs }: WaitingRow): boolean {
  return dueAtMs === 0
}

/** Items of both lists in turn, and then the rest of the longer one. */
function inTurns<T>(one: readonly T[], other: readonly T[]): T[] {
  return Array.from({ length: Math.max(one.length, other.length) }, (_, index) => [
    ...one.slice(index, index + 1),
    ...other.slice(index, index + 1),
  ]).flat()
}
