import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { prepareDatabase } from '../../../src/spool/schema.ts'

test('every connection to a spool syncs its log at each commit', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'schema-'))
  t.after(() => rmSync(directory, { recursive: true }))
  for (const state of ['new', 'there already']) {
    const db = new DatabaseSync(join(directory, 'spool.db'))
    prepareDatabase(db, 0)
    const settings = [db.prepare('PRAGMA synchronous').get(), db.prepare('PRAGMA journal_mode').get()]
    // 2 is FULL: https://sqlite.org/pragma.html#pragma_synchronous. NORMAL loses commits of a WAL when power fails.
    assert.deepEqual(
      settings.map((row) => Object.values(row ?? {})),
      [[2], ['wal']],
      state,
    )
    db.close()
  }
})
