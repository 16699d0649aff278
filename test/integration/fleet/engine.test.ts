import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimAll, fleetItem, openTestFleet, shareFleet, takeFrom, whatOf } from '../../support/fleet.ts'
import { alertItem, changeItem } from '../../support/spool.ts'

const { skip, url } = await shareFleet()

test('what one relay adds, another delivers in the order of each alert', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  const items = [
    alertItem('trigger', 'a'),
    alertItem('resolve', 'a'),
    changeItem('deployed'),
    alertItem('trigger', 'b'),
  ]
  const ids = await one.add(items.map((item) => fleetItem(item)))
  assert.equal(new Set(ids).size, 4)
  const keys = await claimAll(other)
  const first = await other.take(takeFrom(keys))
  assert.deepEqual(first.events.map(whatOf), ['trigger a', 'trigger b', 'deployed'])
  const became = await other.settle(
    first.events.map((event) => ({ ...event, kind: 'delivered', httpStatus: 202 })),
  )
  assert.deepEqual(became, ['settled', 'settled', 'settled'])
  const second = await other.take(takeFrom(keys))
  assert.deepEqual(second.events.map(whatOf), ['resolve a'])
})

test('an event that is added twice is there once, with the id that it got first', { skip }, async (t) => {
  const engine = openTestFleet(t, url)
  const item = fleetItem(alertItem('trigger', 'a'), { originId: 'twice' })
  const ids = await engine.add([item])
  assert.deepEqual(await engine.add([item]), ids)
  const keys = await claimAll(engine)
  const { events } = await engine.take(takeFrom(keys))
  await engine.settle(events.map((event) => ({ ...event, kind: 'delivered', httpStatus: 202 })))
  assert.deepEqual(await engine.add([item]), ids)
  assert.deepEqual(await engine.counts(), { pending: 0, delivered: 1, dead: 0 })
})
