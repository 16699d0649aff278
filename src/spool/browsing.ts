import type { DatabaseSync } from 'node:sqlite'
import { readAttempts } from './attempt-log.ts'
import { addLowerCase } from './lower-case.ts'
import { readable } from './numbers.ts'
import { toEntry, type EntryRow } from './rows.ts'
import type { ListedEvent, ListedStatus, Search, ShownEvent } from './listing.ts'
import { GIVEN_LIMIT, prepareAll, prepareGet } from './statements.ts'

/** What people ask of a store, as opposed to what delivers it. */
export interface Browse {
  /** Events that match, the newest first. */
  find(search: StoredSearch): ListedEvent[]
  show(id: number): ShownEvent | undefined
}

/** A search by the numbers that the store has for keys. */
export interface StoredSearch extends Omit<Search, 'matchesKey'> {
  readonly keyIds?: readonly number[] | undefined
}

interface BrowsedRow extends EntryRow {
  readonly settled_at: number | null
  readonly due_at: number | null
  readonly summary: string | null
  readonly note: string | null
}

/** Bytes of an event up to which its summary is read for a list. */
const MAX_LISTED_BYTES = 16_384
const SUMMARY = `CASE WHEN octet_length(body) <= ${MAX_LISTED_BYTES} AND json_valid(body)
  THEN substr(json_extract(body, '$.payload.summary'), 1, 300) END`

/** What each status has beside what all have. */
const OWN_COLUMNS: Readonly<Record<ListedStatus, string>> = {
  pending: `NULL AS settled_at, ${readable('due_at')} AS due_at, ${SUMMARY} AS summary, NULL AS note`,
  dead: `${readable('settled_at')} AS settled_at, NULL AS due_at, ${SUMMARY} AS summary, NULL AS note`,
  delivered: `${readable('settled_at')} AS settled_at, NULL AS due_at, NULL AS summary, NULL AS note`,
  discarded: `${readable('settled_at')} AS settled_at, NULL AS due_at, NULL AS summary, note`,
}

/** Statements are prepared when they are first used: few relays are looked at. */
export function createBrowse(db: DatabaseSync): Browse {
  addLowerCase(db)
  const find = lazily((status) =>
    prepareAll<BrowsedRow>(
      db,
      `${selectFrom(status)}
       WHERE e.id < ?1 AND (?2 IS NULL OR kind = ?2)
       AND (?3 IS NULL OR key_id IN (SELECT value FROM json_each(?3)))
       AND (?4 IS NULL OR instr(CASE WHEN ?7 THEN lower_case(dedup_key) ELSE lower(dedup_key) END, ?4) > 0)
       AND CASE ?5 WHEN 'none' THEN http_status IS NULL AND attempts > 0 WHEN '429' THEN http_status = 429
         WHEN '4xx' THEN http_status BETWEEN 400 AND 499 WHEN '5xx' THEN http_status BETWEEN 500 AND 599 ELSE TRUE END
       ORDER BY e.id DESC ${GIVEN_LIMIT.replace('?', '?6')}`,
    ),
  )
  const one = lazily((status) => prepareGet<BrowsedRow>(db, `${selectFrom(status)} WHERE e.id = ?`))
  const body = lazily((status) => prepareGet<{ body: string }>(db, `SELECT body FROM ${status} WHERE id = ?`))
  let log: ((id: number) => { log: string } | undefined) | undefined
  return {
    find: ({ statuses, beforeId, kind, keyIds, dedupKey, answer, limit }) =>
      statuses
        .flatMap((status) =>
          find(status)(
            beforeId ?? Number.MAX_SAFE_INTEGER,
            kind ?? null,
            keyIds === undefined ? null : JSON.stringify(keyIds),
            dedupKey?.toLowerCase() ?? null,
            answer ?? null,
            limit,
            /[^\0-~]/.test(dedupKey ?? '') ? 1 : 0,
          ).map((row) => toListed(row, status)),
        )
        .toSorted((a, b) => b.id - a.id)
        .slice(0, limit),
    show: (id) => {
      for (const status of ['pending', 'dead', 'delivered', 'discarded'] as const) {
        const row = one(status)(id)
        if (row === undefined) continue
        log ??= prepareGet<{ log: string }>(db, 'SELECT log FROM attempts WHERE id = ?')
        const content = status === 'pending' || status === 'dead' ? body(status)(id)?.body : undefined
        return {
          ...toListed(row, status),
          lastAttempts: readAttempts(log(id)?.log),
          ...(content !== undefined && { body: content }),
        }
      }
      return undefined
    },
  }
}

function selectFrom(status: ListedStatus): string {
  return `SELECT e.id, kind, action, dedup_key, ${readable('accepted_at')} AS accepted_at,
    ${readable('attempts')} AS attempts, ${readable('http_status')} AS http_status, reason, name, secret,
    ${OWN_COLUMNS[status]} FROM ${status} AS e LEFT JOIN keys ON keys.id = key_id`
}

function lazily<T>(create: (status: ListedStatus) => T): (status: ListedStatus) => T {
  const created = new Map<ListedStatus, T>()
  return (status) => {
    const statement = created.get(status) ?? create(status)
    created.set(status, statement)
    return statement
  }
}

function toListed(row: BrowsedRow, status: ListedStatus): ListedEvent {
  return {
    ...toEntry(row, status === 'discarded' ? 'dead' : status),
    status,
    ...(row.settled_at !== null && { settledAtMs: row.settled_at }),
    ...(row.due_at !== null && row.due_at > 0 && { dueAtMs: row.due_at }),
    ...(row.summary !== null && { summary: row.summary }),
    ...(row.note !== null && { note: row.note }),
  }
}
