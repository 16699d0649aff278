import assert from 'node:assert/strict'
import { join } from 'node:path'
import * as sqlite from 'node:sqlite'
import { test } from 'node:test'
import { createPrivateFile } from '../../../src/spool/files.ts'
import { openStore } from '../../../src/spool/store.ts'
import { temporaryDirectory } from '../../support/spool.ts'

/** Tables that may be read whole: keys and deadlines are few, state is one row, delivered events, deployments and what is remembered of them are trimmed, the latest of one deployment are ten, SQLite's own are small. */
const SMALL =
  /^SCAN (keys|state|delivered|deployments|superseded|attempts|discarded|deadlines|json_each|later|latest|sqlite_master|pragma_\w+|CONSTANT ROW)\b/
/** Looks a small file through when it is opened. */
const LOOKS_THROUGH = /^SELECT 1 FROM state WHERE pending = \(SELECT count/
/** Reads every dead event, which is what the caller wants: to try them all again, and to know whose keys they need. */
const READS_ALL_DEAD = /FROM dead (ORDER BY id|$)|UNION SELECT key_id FROM dead\b/
/** Is run for each deployment of a list, or for each outcome. */
const BY_IDENTITY = /FROM deadlines WHERE identity =/

test('no statement of the spool scans its pending events', (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'spool.db')
  createPrivateFile(directory, path)
  const statements: string[] = []
  function DatabaseSync(...args: ConstructorParameters<typeof sqlite.DatabaseSync>): sqlite.DatabaseSync {
    const db = new sqlite.DatabaseSync(...args)
    const prepare = db.prepare.bind(db)
    return Object.assign(db, {
      prepare: (sql: string) => {
        if (!sql.startsWith('PRAGMA')) statements.push(sql)
        return prepare(sql)
      },
    })
  }
  openStore({ ...sqlite, DatabaseSync } as unknown as typeof sqlite, path, {
    nowMs: 0,
    logBytes: 1 << 20,
  }).close()
  assert.ok(statements.length > 30, `${statements.length} statements`)

  const bare = statements.filter((sql) => /LIMIT \?(?! \+)/.test(sql))
  assert.deepEqual(bare, [], 'SQLite plans a statement with a bare limit again each time')

  const db = new sqlite.DatabaseSync(path)
  t.after(() => db.close())
  for (const sql of statements) {
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]
    const scans = steps.map(({ detail }) => detail).filter((detail) => /^SCAN|TEMP B-TREE/.test(detail))
    const isPage = / ORDER BY (e\.)?id LIMIT /.test(sql) && scans.every((scan) => /^SCAN \w+$/.test(scan))
    if (BY_IDENTITY.test(sql)) assert.deepEqual(scans, [], sql)
    if (isPage || LOOKS_THROUGH.test(sql)) continue
    for (const scan of scans) {
      const isFine =
        SMALL.test(scan) || (READS_ALL_DEAD.test(sql) && /\b(?:dead|discarded)\b|TEMP B-TREE/.test(scan))
      assert.ok(isFine, `${sql}\n${steps.map(({ detail }) => detail).join('\n')}`)
    }
  }
})
