import type { DatabaseSync } from 'node:sqlite'
import { Failure } from '../core/failure.ts'
import { DEADLINE_TABLE } from './deadline-table.ts'
import { DEPLOYMENT_TABLE } from './deployment-table.ts'
import { storeError, storeProblem } from './errors.ts'
import { UNTOLD_TABLE } from './untold-table.ts'

/** Marks the file as a spool (`application_id`): the letters PDAL. */
const APPLICATION_ID = 0x50_44_41_4c
/** Version of the tables below, kept in the file (`user_version`). */
const SCHEMA_VERSION = 2

/*
 * Each status has its own table, so that frequent queries need no index: the oldest pending event is the first row, and a
 * list is a scan of ids. `due_at` is 0 if the event was never tried (so that no writer's clock matters), the time of the
 * next attempt, or NULL if the event waits for another one of its alert: exactly one event of an alert is not NULL.
 * Ids start at the time of creation, so that an id never means two events even if a damaged store was replaced.
 * `body` is the last column because SQLite reads a row up to the last column that a query needs. `rows.ts` makes `checksum`.
 */
/** Alerts and change events have separate ranges, so that a search for one kind does not read the other. */
const TURN_INDEX = 'CREATE INDEX pending_turn ON pending (key_id, kind, due_at) WHERE due_at IS NOT NULL'
const SCHEMA = `
CREATE TABLE state (next_id INTEGER NOT NULL, pending INTEGER NOT NULL, delivered INTEGER NOT NULL, dead INTEGER NOT NULL) STRICT;
CREATE TABLE keys (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, secret TEXT UNIQUE) STRICT;
CREATE TABLE pending (
  id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT, dedup_key TEXT,
  accepted_at INTEGER NOT NULL, attempts INTEGER NOT NULL, http_status INTEGER, reason TEXT, due_at INTEGER,
  checksum INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
${TURN_INDEX};
CREATE INDEX pending_alert ON pending (key_id, dedup_key) WHERE dedup_key IS NOT NULL;
CREATE TABLE delivered (
  id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT, dedup_key TEXT,
  accepted_at INTEGER NOT NULL, attempts INTEGER NOT NULL, http_status INTEGER, reason TEXT, settled_at INTEGER NOT NULL
) STRICT;
CREATE TABLE dead (
  id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT, dedup_key TEXT,
  accepted_at INTEGER NOT NULL, attempts INTEGER NOT NULL, http_status INTEGER, reason TEXT, settled_at INTEGER NOT NULL,
  checksum INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`

/**
 * Tables that older spools do not have yet: dead events that were superseded by an event that is no longer kept; the last
 * attempts of events that failed at least once, as JSON; and discarded events.
 */
const ADDED_TABLES = `
CREATE TABLE IF NOT EXISTS superseded (id INTEGER PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS attempts (id INTEGER PRIMARY KEY, log TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS discarded (
  id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT, dedup_key TEXT,
  accepted_at INTEGER NOT NULL, attempts INTEGER NOT NULL, http_status INTEGER, reason TEXT, settled_at INTEGER NOT NULL,
  note TEXT NOT NULL
) STRICT;`

/**
 * Prepares a database that was just opened: every transaction is synced to disk (`synchronous = FULL`), readers do not wait
 * for writers (WAL), and the tables exist.
 * @throws SQLite's errors; `damage` if the file is damaged; a Failure if it belongs to another program or version
 */
export function prepareDatabase(db: DatabaseSync, nowMs: number): void {
  const isNew = isBlank(db)
  if (!isNew) checkOrigin(db) // before anything is changed
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  if (isNew) createTables(db, Math.round(nowMs))
  else replaceIndex(db)
  db.exec(ADDED_TABLES + DEPLOYMENT_TABLE + DEADLINE_TABLE + UNTOLD_TABLE)
  checkIntegrity(db)
}

/** Gives a spool of an earlier version this version's index. If it cannot be written, queries are only slower. */
function replaceIndex(db: DatabaseSync): void {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'pending_turn'").get() !== undefined) return
  try {
    db.exec(`BEGIN IMMEDIATE; ${TURN_INDEX}; DROP INDEX IF EXISTS pending_due; COMMIT`)
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    if (storeProblem(error)?.kind === 'damaged') throw error
  }
}

/**
 * Checks a database without changing it; one without tables is fine.
 * @throws as `prepareDatabase` does
 */
export function examineDatabase(db: DatabaseSync): void {
  if (isBlank(db)) return
  checkOrigin(db)
  checkIntegrity(db)
}

function createTables(db: DatabaseSync, firstId: number): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have been faster.
    if (isBlank(db)) {
      db.exec(SCHEMA)
      db.prepare('INSERT INTO state VALUES (?, 0, 0, 0)').run(firstId)
      db.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('keys', ?)").run(firstId)
    } else checkOrigin(db)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** Whether a database has no tables yet. */
export function isBlank(db: DatabaseSync): boolean {
  const { count } = db.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number }
  const { id, version } = originOf(db)
  return count === 0 && id === 0 && version === 0
}

/** @throws a Failure if it is not a spool of this version */
export function checkOrigin(db: DatabaseSync): void {
  const { id, version } = originOf(db)
  if (id !== APPLICATION_ID)
    throw new Failure(
      'config',
      'spool.db in the directory of PAGERDUTY_SPOOL is another program’s database; use another directory',
    )
  if (version !== SCHEMA_VERSION)
    throw new Failure(
      'config',
      'the spool was written by another version of this program; deliver it with that version',
    )
}

/** The program and version that wrote the file; 0 if it says nothing. */
function originOf(db: DatabaseSync): { id: number; version: number } {
  const origin = db.prepare(
    'SELECT application_id AS id, user_version AS version FROM pragma_application_id, pragma_user_version',
  )
  return origin.get() as { id: number; version: number }
}

/** Files up to this size are checked when they are opened. Damage to larger ones is found when it is read. */
const LOOKED_THROUGH_PAGES = 8192

/** An error like SQLite's own for a damaged file. */
export function damage(message: string): Error {
  return storeError(message, 11)
}

/**
 * Checks a store: its structure, its indexes and its counters. The content of an event is checked by its checksum before it
 * is sent.
 * @throws `damage`, or SQLite's errors
 */
function checkIntegrity(db: DatabaseSync): void {
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
