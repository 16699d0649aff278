import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Outcome } from '../../../src/core/outcome.ts'
import { MAX_DIRECTORY_BYTES } from '../../../src/spool/files.ts'
import { examineSpool } from '../../../src/spool/open.ts'
import { until } from '../../support/until.ts'
import { ACCEPTED, startTestWorker } from '../../support/worker.ts'
import { changeItem, openTestSpool, ownKey, temporaryDirectory } from '../../support/spool.ts'
import { skipWithout } from '../../support/required.ts'
import { mountSmallDisk } from '../../support/tmpfs.ts'

test('a file that is not a database is set aside with a warning, and a new spool is started', async (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'spool.db'), 'not a database '.repeat(1000))
  const { spool, warnings } = await openTestSpool(t, { directory })
  assert.equal((await spool.add([changeItem('x')])).kind, 'added')
  assert.match(warnings[0] ?? '', /damaged: it was set aside as .*spool\.db\.damaged-\d{8}T\d{6}Z/)
  assert.equal(readdirSync(directory).filter((name) => name.includes('.damaged-')).length, 1)
})

test('damage at run time stops no process, and every process continues in the new spool', async (t) => {
  const { spool, directory, warnings } = await openTestSpool(t)
  const { spool: other } = await openTestSpool(t, { directory })
  await spool.add(Array.from({ length: 50 }, (_, n) => changeItem(`${n}`.repeat(200))))
  const path = join(directory, 'spool.db')
  const db = new DatabaseSync(path)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
  truncateSync(path, 8192)
  writeFileSync(path, Buffer.alloc(8192, 7))
  assert.equal((await spool.add([changeItem('after')])).kind, 'added')
  assert.match(warnings.join(), /set aside/)
  assert.equal((await other.add([changeItem('from another process')])).kind, 'added')
  const { seen } = startTestWorker(t, { spool })
  await until(() => seen.length === 2, 'both are delivered')
  assert.deepEqual(
    seen.map(({ what }) => what),
    ['after', 'from another process'],
  )
})

test('a spool that is deleted at run time starts again', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  await spool.add([changeItem('1')])
  rmSync(directory, { recursive: true })
  assert.equal((await spool.add([changeItem('2')])).kind, 'added')
  assert.equal(spool.counts().pending, 1)
})

test('a write waits for another process’s transaction', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const db = new DatabaseSync(join(directory, 'spool.db'))
  db.exec('BEGIN IMMEDIATE')
  const adding = spool.add([changeItem('x')])
  const { warnings } = await openTestSpool(t, { directory })
  assert.deepEqual(warnings, [], 'opening a spool gives no warning')
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(spool.checkWritable(), undefined, 'a busy spool is writable')
  db.exec('ROLLBACK')
  db.close()
  assert.equal((await adding).kind, 'added')
})

test('if the directory cannot be created, nothing is accepted until it can', async (t) => {
  const parent = join(temporaryDirectory(t), 'file')
  writeFileSync(parent, '')
  const { spool, warnings } = await openTestSpool(t, { directory: join(parent, 'spool') })
  const refused = await spool.add([changeItem('x')])
  assert.equal(refused.kind, 'unavailable')
  assert.match(warnings.join(), /the spool cannot be created in PAGERDUTY_SPOOL/)
  assert.match(spool.checkWritable() ?? '', /cannot be created/)
  assert.deepEqual(spool.counts(), { pending: 0, delivered: 0, dead: 0 })
  rmSync(parent)
  mkdirSync(parent)
  assert.equal((await spool.add([changeItem('x')])).kind, 'added')
})

test('a spool that cannot be read explains why to its callers', async (t) => {
  const parent = join(temporaryDirectory(t), 'file')
  writeFileSync(parent, '')
  const { spool } = await openTestSpool(t, { directory: join(parent, 'spool') })
  const reason = {
    name: 'Failure',
    kind: 'undelivered',
    message: /the spool cannot be created in PAGERDUTY_SPOOL/,
  }
  assert.throws(() => spool.list('dead', 1), reason)
  assert.throws(() => spool.deployments.list({ limit: 1 }), reason)
  await assert.rejects(spool.retry({}), reason)
  await assert.rejects(spool.discard({}), reason)
})

const skip = skipWithout('mount')

test(
  'a full disk is reported, loses no accepted event, and is used again when there is room',
  { skip },
  async (t) => {
    const disk = mountSmallDisk(t, 1)
    const directory = join(disk.directory, 'spool')
    const { spool } = await openTestSpool(t, { directory, limit: 100_000 })
    let accepted = 0
    let reason: string | undefined
    while (reason === undefined) {
      const added = await spool.add([changeItem('x'.repeat(2000))])
      if (added.kind === 'added') accepted++
      else reason = added.kind === 'unavailable' ? added.reason : added.kind
    }
    assert.match(reason, /spool’s disk is (full|failing)/)
    assert.equal(spool.counts().pending, accepted)
    assert.ok(statSync(join(directory, 'spool.db')).size > 0)
    disk.resize(8)
    const { seen } = startTestWorker(t, { spool })
    await until(() => spool.counts().pending === 0, 'all is delivered')
    assert.ok(new Set(seen).size >= accepted)
    assert.equal((await spool.add([changeItem('again')])).kind, 'added')
  },
)

test('for a caller that waits while the spool cannot be read, its event is pending', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const added = await spool.add([changeItem('x')])
  assert.ok(added.kind === 'added')
  const waiting = spool.waitFor(added.ids, 500, t.signal)
  rmSync(directory, { recursive: true })
  writeFileSync(directory, '')
  assert.deepEqual(
    (await waiting).map(({ status }) => status),
    ['pending'],
  )
})

test('a directory of another user is reported', async (t) => {
  const directory = temporaryDirectory(t)
  chmodSync(directory, 0o555)
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65_534) // root may write everywhere
  try {
    for (const path of [directory, join(directory, 'new')]) {
      const { spool, warnings } = await openTestSpool(t, { directory: path })
      assert.deepEqual(warnings, ['the spool cannot be created in PAGERDUTY_SPOOL: permission denied'])
      assert.equal((await spool.add([changeItem('x')])).kind, 'unavailable')
      assert.equal(spool.hasPending(ownKey(), 'x'), false)
    }
  } finally {
    if (isRoot) process.seteuid?.(0)
    chmodSync(directory, 0o755)
  }
})

test('a directory that can no longer be searched stops no process, and the result is written later', async (t) => {
  const directory = temporaryDirectory(t)
  const isRoot = process.getuid?.() === 0
  if (isRoot) chownSync(directory, 65_534, 65_534)
  if (isRoot) process.seteuid?.(65_534) // root may search everywhere
  try {
    const { spool } = await openTestSpool(t, { directory })
    const answering = Promise.withResolvers<Outcome>()
    const { seen, told } = startTestWorker(t, { spool, answer: () => answering.promise })
    await spool.add([changeItem('x')])
    await until(() => seen.length === 1, 'the attempt is in flight')
    chmodSync(directory, 0)
    answering.resolve(ACCEPTED)
    await until(() => /problem .*permission denied/.test(told.join()), 'it is reported')
    await new Promise((resolve) => setTimeout(resolve, 150)) // longer than checks of the disk are trusted
    assert.match(spool.checkWritable() ?? '', /permission denied/)
    assert.equal((await spool.add([changeItem('y')])).kind, 'unavailable')
    chmodSync(directory, 0o700)
    await until(() => spool.queue.unwritten() === 0 && spool.counts().delivered === 1, 'it is written')
    assert.equal((await spool.add([changeItem('y')])).kind, 'added')
    await until(() => spool.counts().delivered === 2, 'what comes next is delivered')
    assert.equal(seen.length, 2)
    await spool.close()
  } finally {
    if (isRoot) process.seteuid?.(0)
    chmodSync(directory, 0o700)
  }
})

test('the longest path that SQLite opens works, and a longer one is reported with that limit', async (t) => {
  const parent = temporaryDirectory(t)
  const longest = join(
    parent,
    'd'.repeat(200),
    'd'.repeat(200),
    'd'.repeat(MAX_DIRECTORY_BYTES - Buffer.byteLength(parent) - 403),
  )
  const works = await openTestSpool(t, { directory: longest })
  assert.deepEqual(works.warnings, [])
  assert.equal((await works.spool.add([changeItem('x')])).kind, 'added')
  assert.equal(await works.spool.queue.tryLock(), true)
  const { spool, warnings } = await openTestSpool(t, { directory: `${longest}d` })
  const reason =
    'the spool cannot be created in PAGERDUTY_SPOOL: its path is too long; SQLite allows 490 bytes'
  assert.deepEqual(warnings, [reason])
  assert.deepEqual(await spool.add([changeItem('x')]), { kind: 'unavailable', reason })
  assert.equal((await examineSpool(`${longest}d`)).problem?.reason, reason)
})

test(
  'a directory that the kernel refuses is reported at once, and does not hang',
  { skip: skipWithout('linux') },
  async (t) => {
    const { spool, warnings } = await openTestSpool(t, { directory: '/proc/pagerduty-alert/spool' })
    assert.match(warnings.join(), /the spool cannot be created in PAGERDUTY_SPOOL/)
    assert.equal((await spool.add([changeItem('x')])).kind, 'unavailable')
  },
)
