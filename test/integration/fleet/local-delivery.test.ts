import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLocalDelivery } from '../../../src/fleet/local-delivery.ts'
import { alertItem, openTestSpool } from '../../support/spool.ts'
import { until } from '../../support/until.ts'
import { startTestWorker, type Seen } from '../../support/worker.ts'

test('an event that its relay must not deliver stays in the spool, even if its key has nothing else to deliver', async (t) => {
  const { spool } = await openTestSpool(t)
  const seen: Seen[][] = []
  const local = startLocalDelivery({
    queue: spool.queue,
    launchWorker: (queue) => {
      const started = startTestWorker(t, { spool: { ...spool, queue } })
      seen.push(started.seen)
      return started.worker
    },
    isAllowed: (_mode, _key, event) => event?.dedupKey !== 'held',
  })
  t.after(() => local.stop(0))
  await spool.add([alertItem('trigger', 'a')])
  await until(() => spool.counts().delivered === 1, 'the key is known')
  await spool.add([alertItem('trigger', 'held')])
  await spool.add([alertItem('trigger', 'b')])
  await until(() => spool.counts().delivered === 2, 'the next one is delivered')
  assert.deepEqual(
    seen.flat().map(({ what }) => what),
    ['trigger a', 'trigger b'],
  )
  assert.equal(spool.counts().pending, 1)
})
