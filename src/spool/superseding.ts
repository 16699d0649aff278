import type { DatabaseSync } from 'node:sqlite'
import { prepareAll, prepareGet, prepareRun } from './statements.ts'

/** Actions that decide whether an alert is open. Acknowledging an alert that is not open does nothing. */
const DECIDING = "action IN ('trigger', 'resolve')"

/**
 * Knows whether a dead event is superseded: its alert has a later trigger or resolve. Sending it now would open an alert
 * that nothing will resolve, or resolve one that is open for another reason.
 */
export interface Superseding {
  /** Returns a function that says whether a dead event is superseded; it reads the delivered events once. */
  isSuperseded(): (dead: DeadRow) => boolean
  /** Remembers which dead events the oldest delivered ones supersede, before those are removed. */
  remember(count: number): void
  /** Forgets events that no longer exist. */
  tidy(): void
}

/** The columns of a dead event that are read. */
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
