import type { DatabaseSync } from 'node:sqlite'
import { storeError } from './errors.ts'

/** Files up to this size are looked through when they are opened; damage in larger ones is found when it is met. */
const LOOKED_THROUGH_PAGES = 8192

/** What SQLite says of a file that is damaged, in its own error's form. */
export function damage(message: string): Error {
  return storeError(message, 11)
}

/**
 * Looks a store through: its structure, that its indexes are those of its rows, and its counters. What is in an event is
 * looked at when it is to be sent, by its checksum.
 * @throws `damage`, or SQLite's errors
 */
export function checkIntegrity(db: DatabaseSync): void {
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
  if (pages > LOOKED_THROUGH_PAGES) return
  const { integrity_check: verdict } = db.prepare('PRAGMA integrity_check(1)').get() as {
    integrity_check: string
  }
  if (verdict !== 'ok') throw damage(verdict)
  const state = db.prepare(
    `SELECT 1 FROM state WHERE pending = (SELECT count(*) FROM pending) AND delivered = (SELECT count(*) FROM delivered)
     AND dead = (SELECT count(*) FROM dead) AND next_id > ifnull((SELECT max(id) FROM pending), -1)`,
  )
  if (state.get() === undefined) throw damage('its counters are not those of its rows')
}
