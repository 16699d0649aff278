import type { DatabaseSync } from 'node:sqlite'
import { prepareAll, prepareGet, prepareRun } from './statements.ts'

/** Actions that decide whether an alert is open. An acknowledgement of an alert that is not open does nothing. */
const DECIDING = "action IN ('trigger', 'resolve')"

/**
 * Whether a dead event's alert has been decided by a later event: to send it now would open an alert that nothing will
 * resolve, or resolve one that is open for another reason.
 */
export interface Superseding {
  /** A function that tells it of dead events, by one look at what was delivered. */
  isSuperseded(): (dead: DeadRow) => boolean
  /** Remembers it of those that one of the oldest delivered events has decided, before they are forgotten. */
  remember(count: number): void
  /** Forgets it of events that are not there any more. */
  tidy(): void
}

/** What is read of a dead event. */
export interface DeadRow {
  readonly id: number
  readonly key_id: number
  readonly dedup_key: string | null
}

/** Prepares the statements. */
export function createSuperseding(db: DatabaseSync): Superseding {
  const isRemembered = prepareGet(db, 'SELECT 1 FROM superseded WHERE id = ?')
  const isPending = prepareGet(
    db,
    `SELECT 1 FROM pending WHERE key_id = ? AND dedup_key = ? AND id > ? AND ${DECIDING} LIMIT 1`,
  )
  const deciding = prepareAll<{ id: number; key_id: number; dedup_key: string }>(
    db,
    `SELECT id, key_id, dedup_key FROM delivered WHERE dedup_key IS NOT NULL AND ${DECIDING} ORDER BY id`,
  )
  const remember = prepareRun(
    db,
    `INSERT OR IGNORE INTO superseded SELECT dead.id
     FROM (SELECT * FROM delivered ORDER BY id LIMIT ? + 0) AS later CROSS JOIN dead
     ON dead.key_id = later.key_id AND dead.dedup_key = later.dedup_key AND dead.id < later.id
     WHERE later.${DECIDING}`,
  )
  const tidy = prepareRun(
    db,
    `DELETE FROM superseded WHERE NOT EXISTS (SELECT 1 FROM dead WHERE id = superseded.id)
     AND NOT EXISTS (SELECT 1 FROM pending WHERE id = superseded.id)`,
  )
  return {
    isSuperseded: () => {
      let latest: Map<string, number> | undefined
      return ({ id, key_id: keyId, dedup_key: dedupKey }) => {
        if (dedupKey === null) return false
        if (isRemembered(id) !== undefined || isPending(keyId, dedupKey, id) !== undefined) return true
        latest ??= new Map(deciding().map((row) => [`${row.key_id} ${row.dedup_key}`, row.id]))
        return (latest.get(`${keyId} ${dedupKey}`) ?? 0) > id
      }
    },
    remember: (count) => void remember(count),
    tidy: () => void tidy(),
  }
}
