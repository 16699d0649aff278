import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimAll, fleetItem, openTestFleet, shareFleet, takeFrom, whatOf } from '../../support/fleet.ts'
import { alertItem, changeItem } from '../../support/spool.ts'

const { skip, url } = await shareFleet()

test('no more is taken of a kind than is wanted, and the rest counts as more', { skip }, async (t) => {
  const engine = openTestFleet(t, url)
  const items = ['a', 'b', 'c'].flatMap((name) => [changeItem(name), alertItem('trigger', name)])
  await engine.add(items.map((item) => fleetItem(item)))
  const [key] = await claimAll(engine)
  if (key === undefined) throw new Error('nothing was claimed')
  const none = { fresh: 0, tried: 9 }
  const changes = await engine.take(
    takeFrom([{ ...key, wants: { alert: none, change: { fresh: 2, tried: 0 } } }]),
  )
  assert.deepEqual(changes.events.map(whatOf), ['a', 'b'])
  assert.deepEqual([changes.keys[0]?.permits, changes.keys[0]?.isMore], [2, true])
  const busy = changes.events.map(({ id }) => id)
  const alerts = await engine.take(
    takeFrom([{ ...key, wants: { alert: { fresh: 9, tried: 0 }, change: none } }], { busy }),
  )
  assert.deepEqual(alerts.events.map(whatOf), ['trigger a', 'trigger b', 'trigger c'])
  assert.equal(alerts.keys[0]?.isMore, true)
})

test('events that were tried are wanted apart from those that were not', { skip }, async (t) => {
  const engine = openTestFleet(t, url)
  await engine.add([fleetItem(alertItem('trigger', 'tried')), fleetItem(alertItem('trigger', 'fresh'))])
  const [key] = await claimAll(engine)
  if (key === undefined) throw new Error('nothing was claimed')
  const first = await engine.take(takeFrom([{ ...key, most: 1 }]))
  await engine.settle(
    first.events.map((event) => ({ ...event, kind: 'postponed', reason: '503', waitMs: 0 })),
  )
  const none = { fresh: 0, tried: 0 }
  for (const [alert, what] of [
    [{ fresh: 0, tried: 1 }, 'trigger tried'],
    [{ fresh: 1, tried: 0 }, 'trigger fresh'],
  ] as const) {
    const { events } = await engine.take(takeFrom([{ ...key, wants: { alert, change: none } }]))
    assert.deepEqual(events.map(whatOf), [what])
  }
})
