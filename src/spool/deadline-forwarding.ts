import type { DatabaseSync } from 'node:sqlite'
import type { Event } from '../core/event.ts'
import { bodyIn, idsIn } from './deadline-changes.ts'
import { LEFT, timeParameters, type SpoolTime } from './deadline-table.ts'
import type { ForwardedDeadline } from './forwarding.ts'
import { readable } from './numbers.ts'
import { toKey, type KeyRow } from './rows.ts'
import { GIVEN_LIMIT, prepareAll, prepareGet, prepareRun } from './statements.ts'

/** The query of `Forwarding.deadlines`. */
export type ReadDeadlines = (limit: number, time: SpoolTime) => ForwardedDeadline[]

interface HeldRow {
  readonly dedup_key: string
  readonly build: string
  readonly span: number
  readonly within: number
  readonly left_ms: number
  readonly due_at: number
  readonly key_ids: string
  readonly event: string
}

/** Its statements are prepared on first use. What the disk has altered is left out. */
export function createReadDeadlines(db: DatabaseSync): ReadDeadlines {
  let prepared: ReadDeadlines | undefined
  return (limit, time) => (prepared ??= prepareRead(db))(limit, time)
}

function prepareRead(db: DatabaseSync): ReadDeadlines {
  const held = prepareAll<HeldRow>(
    db,
    `SELECT dedup_key, build, ${readable('span')} AS span, ${readable('within')} AS within, ${LEFT} AS left_ms, due_at,
     key_ids, event FROM deadlines ORDER BY left_ms ${GIVEN_LIMIT}`,
  )
  const keyOf = prepareGet<KeyRow>(db, 'SELECT name, secret FROM keys WHERE id = ?')
  return (limit, time) =>
    held(...timeParameters(time), limit).flatMap((row) => {
      const body = bodyIn(row.event)
      if (body === undefined) return []
      const event: Event = { kind: 'alert', body }
      return {
        start: {
          event,
          keys: idsIn(row.key_ids)
            .flatMap((id) => keyOf(id) ?? [])
            .map(toKey),
          withinMs: row.within,
          elapsedMs: Math.max(0, row.span - row.within),
          agoMs: Math.max(0, row.within - row.left_ms),
        },
        row: { dedupKey: row.dedup_key, build: row.build, dueAt: row.due_at },
      }
    })
}

/** The change of `Forwarding.removeDeadline`. */
export type RemoveDeadline = (row: ForwardedDeadline['row']) => void

export function createRemoveDeadline(db: DatabaseSync): RemoveDeadline {
  let prepared: ((...values: (string | number)[]) => number) | undefined
  return ({ dedupKey, build, dueAt }) => {
    prepared ??= prepareRun(db, 'DELETE FROM deadlines WHERE dedup_key = ? AND build = ? AND due_at = ?')
    prepared(dedupKey, build, dueAt)
  }
}
