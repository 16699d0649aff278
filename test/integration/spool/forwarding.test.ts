import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertItem, changeItem, openTestSpool, ownKey } from '../../support/spool.ts'
import { until } from '../../support/until.ts'
import { startTestWorker } from '../../support/worker.ts'

test('events can be added under ids that were reserved before, and keep their order', async (t) => {
  const { spool } = await openTestSpool(t)
  const first = (await spool.forwarding.reserveIds(10, 0)) ?? 0
  const later = await spool.add([alertItem('resolve', 'a')])
  const earlier = await spool.add([alertItem('trigger', 'a')], [first + 3])
  assert.deepEqual(earlier, { kind: 'added', ids: [first + 3] })
  assert.ok(later.kind === 'added' && (later.ids[0] ?? 0) >= first + 10)
  assert.deepEqual(
    spool.forwarding.oldest(10, 'all').map(({ id }) => id),
    [first + 3, ...later.ids],
  )
})

test('ids are never reserved twice, even if the files were replaced by older ones', async (t) => {
  const { spool } = await openTestSpool(t)
  const first = (await spool.forwarding.reserveIds(100, 0)) ?? 0
  assert.ok(((await spool.forwarding.reserveIds(100, 0)) ?? 0) >= first + 100)
  const inAnHour = first + 3_600_000
  assert.equal(await spool.forwarding.reserveIds(100, inAnHour), inAnHour)
  assert.equal(await spool.forwarding.reserveIds(100, 0, 5), inAnHour + 105)
})

test('removing the first event of an alert makes the next one due, and leaves no trace of the first', async (t) => {
  const { spool } = await openTestSpool(t)
  const added = await spool.add([alertItem('trigger', 'a'), alertItem('resolve', 'a'), changeItem('c')])
  const [first = 0] = added.kind === 'added' ? added.ids : []
  assert.equal(await spool.forwarding.remove([first, 12_345]), undefined)
  assert.deepEqual(spool.counts(), { pending: 2, delivered: 0, dead: 0 })
  const { seen } = startTestWorker(t, { spool })
  await until(() => spool.counts().pending === 0, 'the rest is delivered')
  assert.deepEqual(seen.map(({ what }) => what).toSorted(), ['c', 'resolve a'])
})

test('the oldest events can be read without those of callers’ own keys', async (t) => {
  const { spool } = await openTestSpool(t)
  await spool.add([changeItem('own', ownKey(1)), changeItem('1'), changeItem('2')])
  const summaries = (keys: 'configured' | 'all'): string[] =>
    spool.forwarding.oldest(2, keys).map(({ body }) => (JSON.parse(body) as typeof EVENT).payload.summary)
  assert.deepEqual(summaries('configured'), ['1', '2'])
  assert.deepEqual(summaries('all'), ['own', '1'])
})

const EVENT = { payload: { summary: '' } }
