import type { DatabaseSync } from 'node:sqlite'
import { Failure } from '../core/failure.ts'
import { DEPLOYMENT_TABLE } from './deployment-table.ts'
import { storeError, storeProblem } from './errors.ts'

/** Marks the file as a spool (`application_id`): the letters PDAL. */
const APPLICATION_ID = 0x50_44_41_4c
/** Version of the tables below, kept in the file (`user_version`). */
const SCHEMA_VERSION = 2

/*
 * A table for each status, so that what is often asked costs no index: the oldest pending event is the first row, and a
 * list is a walk over ids. `due_at` is 0 for what was never tried (so that no writer's clock matters), the time of the
 * next try, or NULL for what waits behind another event of its alert: exactly one event of an alert is not NULL.
 * Ids begin at the time of creation, so that an id never means two events though a damaged store was replaced.
 * `body` comes last: what is read of a row is read up to the last column that is asked for. `rows.ts` makes `checksum`.
 */
/** Alerts and change events wait apart, so that neither is looked for among the others. */
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

/** Dead events about whose alert a later event has decided that is forgotten itself. Older spools do not have it yet. */
const SUPERSEDED = 'CREATE TABLE IF NOT EXISTS superseded (id INTEGER PRIMARY KEY) STRICT;'

/**
 * Prepares a database that was just opened: every transaction is on the disk when it is over (`synchronous = FULL`),
 * readers do not wait for writers (WAL), and the tables are there.
 * @throws SQLite's errors; `damage` where the file is damaged, a Failure where it is another program's or version's
 */
export function prepareDatabase(db: DatabaseSync, nowMs: number): void {
  const isNew = isBlank(db)
  if (!isNew) checkOrigin(db) // before anything of it is changed
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  if (isNew) createTables(db, Math.round(nowMs))
  else replaceIndex(db)
  db.exec(SUPERSEDED + DEPLOYMENT_TABLE)
  checkIntegrity(db)
}

/** Gives a spool of an earlier version the index of this one; where that cannot be written, all is only slower. */
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
 * Looks a database through that is not to be changed; one without tables is well.
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

/** Whether nobody has written tables to a database yet. */
export function isBlank(db: DatabaseSync): boolean {
  const { count } = db.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number }
  const { id, version } = originOf(db)
  return count === 0 && id === 0 && version === 0
}

/** @throws a Failure where it is not a spool of this version */
export function checkOrigin(db: DatabaseSync): void {
  const { id, version } = originOf(db)
  if (id !== APPLICATION_ID)
    throw new Failure(
      'config',
      'the file spool.db in the directory of PAGERDUTY_SPOOL is no spool but another program’s database; name another directory',
    )
  if (version !== SCHEMA_VERSION)
    throw new Failure(
      'config',
      'the spool was written by another version of this program; let that deliver it',
    )
}

/** Who has written the file: 0 where nobody has said so. */
function originOf(db: DatabaseSync): { id: number; version: number } {
  const origin = db.prepare(
    'SELECT application_id AS id, user_version AS version FROM pragma_application_id, pragma_user_version',
  )
  return origin.get() as { id: number; version: number }
}

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
