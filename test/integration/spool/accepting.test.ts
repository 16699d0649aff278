import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { spoolExists } from '../../../src/spool/open.ts'
import {
  alertItem,
  changeItem,
  DEFAULT_KEY,
  openTestSpool,
  ownKey,
  temporaryDirectory,
} from '../../support/spool.ts'

/** The ids of an accepted addition. */
function idsOf(result: { kind: string; ids?: readonly number[] }): readonly number[] {
  assert.equal(result.kind, 'added')
  return result.ids ?? []
}

test('accepted events are on disk for every process before the promise resolves', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const ids = idsOf(await spool.add([alertItem('trigger', 'a'), changeItem('deployed')]))
  const other = await openTestSpool(t, { directory })
  assert.deepEqual(
    other.spool.list('pending', 10).map(({ id, kind, action, dedupKey }) => [id, kind, action, dedupKey]),
    [
      [ids[0], 'alert', 'trigger', 'a'],
      [ids[1], 'change', undefined, undefined],
    ],
  )
})

test('all items added in one turn of the event loop share one transaction', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  await spool.add([changeItem('first')])
  const watcher = new DatabaseSync(join(directory, 'spool.db'))
  const version = (): unknown => watcher.prepare('PRAGMA data_version').get()?.data_version
  const before = Number(version())
  const walBefore = statSync(join(directory, 'spool.db-wal')).size
  const results = await Promise.all(Array.from({ length: 500 }, (_, n) => spool.add([changeItem(`c${n}`)])))
  assert.equal(new Set(results.flatMap(idsOf)).size, 500)
  assert.equal(Number(version()), before + 1)
  // Each transaction writes every page that it touches once: 500 of them would write the first page 500 times.
  assert.ok(statSync(join(directory, 'spool.db-wal')).size - walBefore < 100 * 4096)
  watcher.close()
})

test('ids grow in the order of acceptance, in whichever process', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const { spool: other } = await openTestSpool(t, { directory })
  const ids: number[] = []
  for (let round = 0; round < 5; round++) {
    ids.push(...idsOf(await spool.add([changeItem('a')])), ...idsOf(await other.add([changeItem('b')])))
  }
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  )
  assert.deepEqual(spool.counts(), { pending: 10, delivered: 0, dead: 0 })
})

test('a spool accepts nothing beyond its limit, until there is room again', async (t) => {
  const { spool } = await openTestSpool(t, { limit: 3 })
  const [first = 0] = idsOf(await spool.add([changeItem('1'), changeItem('2')]))
  assert.deepEqual(await spool.add([changeItem('3'), changeItem('4')]), { kind: 'full', limit: 3 })
  assert.equal(spool.counts().pending, 2, 'all or none')
  idsOf(await spool.add([changeItem('3')]))
  assert.equal((await spool.add([changeItem('4')])).kind, 'full')
  await spool.queue.settle([{ kind: 'dead', id: first, cause: 'refused', reason: 'no' }])
  idsOf(await spool.add([changeItem('4')]))
  assert.equal((await spool.add([changeItem('5')])).kind, 'full')
  await spool.queue.settle([{ kind: 'delivered', id: first + 1, httpStatus: 202 }])
  idsOf(await spool.add([changeItem('5')]))
})

test('only callers’ own keys are stored, in files that only their owner can read, and never in a name', async (t) => {
  const directory = join(temporaryDirectory(t), 'deep', 'spool')
  const { spool } = await openTestSpool(t, { directory })
  await spool.add([changeItem('mine'), changeItem('own', ownKey(7))])
  await spool.queue.tryLock()
  const files = readdirSync(directory)
  assert.deepEqual(files.toSorted(), [
    'deliver.lock',
    'spool.db',
    'spool.db-shm',
    'spool.db-wal',
    'spool.reserve',
  ])
  for (const file of files) assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file)
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  const bytes = files.map((file) => readFileSync(join(directory, file), 'latin1')).join('')
  assert.ok(bytes.includes('0123456789abcdef0123456700000007'))
  assert.ok(!/routing_key/.test(bytes))
})

test('a caller’s key is forgotten when no event needs it', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const [id = 0] = idsOf(await spool.add([changeItem('own', ownKey(7)), changeItem('other', ownKey(8))]))
  await spool.queue.tidy()
  await spool.queue.settle([{ kind: 'delivered', id, httpStatus: 202 }])
  const db = new DatabaseSync(join(directory, 'spool.db'))
  db.exec('DELETE FROM delivered') // as after thousands of others
  await spool.queue.tidy()
  assert.deepEqual(
    db
      .prepare('SELECT secret FROM keys')
      .all()
      .map(({ secret }) => secret),
    ['0123456789abcdef0123456700000008'],
  )
  db.close()
})

test('the newest delivered events are kept, and the oldest removed', async (t) => {
  const { spool } = await openTestSpool(t, { limit: 100_000 })
  const added = await spool.add(Array.from({ length: 11_001 }, (_, n) => changeItem(String(n))))
  const ids = idsOf(added)
  await spool.queue.settle(ids.slice(0, 11_000).map((id) => ({ kind: 'delivered', id, httpStatus: 202 })))
  assert.deepEqual(spool.counts(), { pending: 1, delivered: 11_000, dead: 0 })
  await spool.queue.settle([{ kind: 'delivered', id: ids.at(-1)!, httpStatus: 202 }])
  assert.deepEqual(spool.counts(), { pending: 0, delivered: 10_000, dead: 0 })
  assert.deepEqual(
    spool.list('delivered', 100_000).map(({ id }) => id),
    ids.slice(-10_000),
  )
})

test('an alert has pending events until all of them are settled', async (t) => {
  const { spool } = await openTestSpool(t)
  const [id = 0] = idsOf(await spool.add([alertItem('trigger', 'a')]))
  assert.ok(spool.hasPending(DEFAULT_KEY, 'a'))
  assert.ok(!spool.hasPending(DEFAULT_KEY, 'b'))
  assert.ok(!spool.hasPending(ownKey(), 'a'), 'another key’s alert is another alert')
  await spool.queue.settle([{ kind: 'delivered', id, httpStatus: 202 }])
  assert.ok(!spool.hasPending(DEFAULT_KEY, 'a'))
})

test('a list is read in pages', async (t) => {
  const { spool } = await openTestSpool(t)
  const ids = idsOf(await spool.add(Array.from({ length: 5 }, (_, n) => changeItem(`${n}`))))
  const page = (afterId?: number): number[] => spool.list('pending', 2, afterId).map(({ id }) => id)
  assert.deepEqual([page(), page(ids[1]), page(ids[3])], [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
})

test('a spool knows the age of its oldest pending event', async (t) => {
  let nowMs = Date.now()
  const { spool } = await openTestSpool(t, { now: () => nowMs })
  assert.equal(spool.oldestPendingAgeMs(), undefined)
  await spool.add([changeItem('1')])
  nowMs += 5000
  await spool.add([changeItem('2')])
  assert.ok(Math.abs((spool.oldestPendingAgeMs() ?? 0) - 5000) < 2)
})

test('a spool exists once an event was kept', async (t) => {
  const directory = temporaryDirectory(t)
  assert.equal(spoolExists(directory), false)
  await openTestSpool(t, { directory })
  assert.equal(spoolExists(directory), true)
})

test('another version’s spool is not changed, and accepts nothing', async (t) => {
  const { spool: earlier, directory } = await openTestSpool(t)
  await earlier.close()
  const db = new DatabaseSync(join(directory, 'spool.db'))
  db.exec('PRAGMA user_version = 99')
  db.close()
  const { spool, warnings } = await openTestSpool(t, { directory })
  assert.equal((await spool.add([changeItem('x')])).kind, 'unavailable')
  assert.match(warnings.join(), /another version/)
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.includes('damaged')),
    [],
  )
})
