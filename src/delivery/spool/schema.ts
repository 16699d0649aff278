import type { DatabaseSync } from 'node:sqlite'
import { Failure } from '../../core/failure.ts'

/** Version of the tables below, kept in the file (`user_version`). */
const SCHEMA_VERSION = 1

/*
 * A table for each status, so that what is often asked costs no index: the oldest pending event is the first row, and a
 * list is a walk over ids. `due_at` is 0 for what was never tried (so that no writer's clock matters), the time of the
 * next try, or NULL for what waits behind another event of its alert: exactly one event of an alert is not NULL.
 * Ids begin at the time of creation, so that an id never means two events though a damaged store was replaced.
 * `body` comes last: what is read of a row is read up to the last column that is asked for.
 */
const SCHEMA = `
CREATE TABLE state (next_id INTEGER NOT NULL, pending INTEGER NOT NULL, delivered INTEGER NOT NULL, dead INTEGER NOT NULL) STRICT;
CREATE TABLE keys (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, secret TEXT UNIQUE) STRICT;
CREATE TABLE pending (
  id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT, dedup_key TEXT,
  accepted_at INTEGER NOT NULL, attempts INTEGER NOT NULL, http_status INTEGER, reason TEXT, due_at INTEGER,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX pending_due ON pending (key_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX pending_alert ON pending (key_id, dedup_key) WHERE dedup_key IS NOT NULL;
CREATE TABLE delivered (
  id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT, dedup_key TEXT,
  accepted_at INTEGER NOT NULL, attempts INTEGER NOT NULL, http_status INTEGER, reason TEXT, settled_at INTEGER NOT NULL
) STRICT;
CREATE TABLE dead (
  id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT, dedup_key TEXT,
  accepted_at INTEGER NOT NULL, attempts INTEGER NOT NULL, http_status INTEGER, reason TEXT, settled_at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
PRAGMA user_version = ${SCHEMA_VERSION};
`

/** Files up to this size are looked through when they are opened; damage in larger ones is found when it is met. */
const QUICK_CHECK_PAGES = 8192

/** What SQLite says of a file that is damaged, in its own error's form. */
export function damage(message: string): Error {
  return Object.assign(new Error(message), { errcode: 11 })
}

/**
 * Prepares a database that was just opened: every transaction is on the disk when it is over (`synchronous = FULL`),
 * readers do not wait for writers (WAL), and the tables are there.
 * @throws SQLite's errors; `damage` where the file is damaged, a Failure where it is another version's
 */
export function prepareDatabase(db: DatabaseSync, nowMs: number): void {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864')
  if (versionOf(db) === 0) createTables(db, Math.round(nowMs))
  if (versionOf(db) !== SCHEMA_VERSION)
    throw new Failure(
      'config',
      'the spool was written by another version of this program; let that deliver it',
    )
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
  if (pages > QUICK_CHECK_PAGES) return
  const { quick_check: verdict } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }
  if (verdict !== 'ok') throw damage(verdict)
}

function createTables(db: DatabaseSync, firstId: number): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have been faster.
    if (versionOf(db) === 0) {
      db.exec(SCHEMA)
      db.prepare('INSERT INTO state VALUES (?, 0, 0, 0)').run(firstId)
      db.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('keys', ?)").run(firstId)
    }
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function versionOf(db: DatabaseSync): number {
  return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
}
