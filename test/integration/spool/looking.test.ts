import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '../../../src/core/outcome.ts'
import type { SpoolQueue } from '../../../src/spool/spool.ts'
import { until } from '../../support/until.ts'
import { ACCEPTED, quickClock, startTestWorker } from '../../support/worker.ts'
import { alertItem, changeItem, openTestSpool, ownKey } from '../../support/spool.ts'

const DOWN: Outcome = { kind: 'retry', status: 503, reason: '503: down' }
const isIdle = (counts: { pending: number }): boolean => counts.pending === 0

test('keys that find no room are served when there is some', async (t) => {
  const { spool } = await openTestSpool(t, { limit: 10_000 })
  const keys = Array.from({ length: 10 }, (_, n) => ownKey(n))
  for (const key of keys) await spool.add(Array.from({ length: 100 }, (_, n) => changeItem(`${n}`, key)))
  const answer = async (): Promise<Outcome> => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    return ACCEPTED
  }
  startTestWorker(t, { spool, answer })
  await until(() => isIdle(spool.counts()), 'all is delivered')
})

test('while a key pauses, its events are not read, and there may be more', async (t) => {
  const { spool } = await openTestSpool(t)
  await spool.add([alertItem('trigger', 'page')])
  const [{ keyId } = { keyId: 0 }] = spool.queue.dueKeys()
  const nowMs = spool.queue.now()
  const looked = { nowMs, exclude: new Set<number>(), isNewestFirst: false }
  const paused = spool.queue.due(keyId, 'alert', { ...looked, fresh: 0, tried: 0, limit: 64 })
  assert.deepEqual(paused, { events: [], isMore: true, nextAtMs: undefined })
  const works = spool.queue.due(keyId, 'alert', { ...looked, fresh: 1, tried: 1, limit: 64 })
  assert.equal(works.events.length, 1)
})

test('a failed read is repeated when the spool can be read', async (t) => {
  const { spool } = await openTestSpool(t)
  let failures = 2
  const due: SpoolQueue['due'] = (...options) => {
    if (failures-- > 0) throw Object.assign(new Error('disk I/O error'), { errcode: 10 })
    return spool.queue.due(...options)
  }
  const { told } = startTestWorker(t, { spool: { ...spool, queue: { ...spool.queue, due } } })
  await spool.add([changeItem('x')])
  await until(() => isIdle(spool.counts()), 'it is delivered')
  assert.deepEqual(told, [
    'lock true',
    'problem the spool’s disk is failing',
    'problem undefined',
    'delivered',
  ])
})

/** What comes in while the only event of its key is in flight, when a look at the key has found nothing more. */
const CHANGES = {
  'another event': [changeItem('b')],
  'what follows in its alert': [alertItem('resolve', 'a')],
  'more events than fit in flight': Array.from({ length: 200 }, (_, n) => changeItem(`${n}`)),
} as const

for (const [what, items] of Object.entries(CHANGES)) {
  for (const first of [ACCEPTED, DOWN]) {
    test(`${what}, added while an event of the key is in flight and then ${first.kind === 'retry' ? 'retried' : 'accepted'}, is delivered too`, async (t) => {
      const { spool } = await openTestSpool(t)
      const released = Promise.withResolvers<void>()
      let attempts = 0
      const answer = async (): Promise<Outcome> => {
        if (++attempts > 1) return ACCEPTED
        await released.promise
        return first
      }
      startTestWorker(t, { spool, answer, clock: { ...quickClock(), random: () => 0.01 } })
      await spool.add([alertItem('trigger', 'a')])
      await until(() => attempts === 1, 'it is in flight')
      await spool.add(items)
      released.resolve()
      await until(() => isIdle(spool.counts()), 'all is delivered')
      assert.equal(spool.counts().delivered, items.length + 1)
    })
  }
}

test('events are found by letters of their dedup key in either case, in every alphabet', async (t) => {
  const { spool } = await openTestSpool(t)
  await spool.add([
    alertItem('trigger', 'deploy/ACME/Zoë-ÅNGSTRÖM'),
    alertItem('trigger', 'deploy/acme/other'),
  ])
  for (const [dedupKey, count] of [
    ['acme', 2],
    ['ZOË', 1],
    ['ÅNGSTRÖM', 1],
    ['ångström', 1],
    ['OTHER', 1],
    ['ß', 0],
  ] as const)
    assert.equal(spool.find({ statuses: ['pending'], limit: 10, dedupKey }).length, count, dedupKey)
})
