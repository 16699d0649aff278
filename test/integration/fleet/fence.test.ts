import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FleetResult, TakenEvent } from '../../../src/fleet/engine.ts'
import {
  claimAll,
  fleetItem,
  LEASE_MS,
  openTestFleet,
  shareFleet,
  takeFrom,
  whatOf,
} from '../../support/fleet.ts'
import { alertItem, changeItem } from '../../support/spool.ts'

const { skip, cluster, url } = await shareFleet()

const DELIVERED: FleetResult = { kind: 'delivered', httpStatus: 202 }
const POSTPONED: FleetResult = { kind: 'postponed', reason: 'HTTP 500', httpStatus: 500, waitMs: 0 }
const DEAD: FleetResult = { kind: 'dead', cause: 'refused', reason: 'HTTP 400', httpStatus: 400 }

/** Ends every lease now, as if its owner had been frozen for longer than a lease. */
async function endLeases(): Promise<void> {
  await cluster
    ?.primary()
    .query("UPDATE pagerduty_alert.key SET lease_until = clock_timestamp() - interval '1 ms'")
}

function withResult(events: readonly TakenEvent[], result: FleetResult) {
  return events.map((event) => ({ ...event, ...result }))
}

test('a key has one owner: nobody claims it while the lease lasts', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  await one.add([fleetItem(changeItem('deployed'))])
  const [claimed] = await Promise.all([claimAll(one), claimAll(other)]).then((both) =>
    both.filter((keys) => keys.length > 0),
  )
  assert.equal(claimed?.length, 1)
  assert.deepEqual([...(await claimAll(one)), ...(await claimAll(other))], [])
  const renewed = [await one.renew(LEASE_MS, claimed ?? []), await other.renew(LEASE_MS, claimed ?? [])]
  assert.deepEqual(new Set(renewed.map(({ leases }) => leases.length)), new Set([0, 1]))
  assert.equal(renewed[1]?.relays, 2)
})

test('only keys with something due are claimed, by a relay that can resolve them', { skip }, async (t) => {
  const engine = openTestFleet(t, url)
  await engine.add([
    fleetItem(changeItem('a', { kind: 'configured', name: 'web' })),
    fleetItem(changeItem('b', { kind: 'configured', name: 'api' })),
  ])
  assert.deepEqual(await claimAll(engine, ['default']), [])
  const [key] = await claimAll(engine, ['web'])
  assert.deepEqual(key && 'key' in key && key.key, { kind: 'configured', name: 'web' })
  const { events } = await engine.take(takeFrom(key === undefined ? [] : [key]))
  await engine.settle(withResult(events, { ...POSTPONED, waitMs: 60_000 }))
  await engine.release()
  assert.deepEqual(await claimAll(engine, ['web']), [])
})

test('a relay that gives its keys back lets others claim them at once', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  await one.add([fleetItem(changeItem('deployed'))])
  const [first] = await claimAll(one)
  await one.release()
  const [second] = await claimAll(other)
  assert.equal(second?.epoch, (first?.epoch ?? 0) + 1)
})

test('a relay that has lost a key takes nothing of it and gets no permits', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  await one.add([fleetItem(changeItem('deployed'))])
  const keys = await claimAll(one)
  await endLeases()
  const late = await one.take(takeFrom(keys))
  assert.deepEqual([late.events, late.keys.map(({ isLost }) => isLost)], [[], [true]])
  await claimAll(other)
  const [permits] = await one.permit(keys, { permits: 10, windowMs: 62_000 })
  assert.deepEqual([permits?.isLost, permits?.permits], [true, 0])
})

test('a late postponement or refusal decides nothing: the new owner does', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  await one.add([fleetItem(alertItem('trigger', 'a'))])
  const { events } = await one.take(takeFrom(await claimAll(one)))
  await endLeases()
  const keys = await claimAll(other)
  for (const result of [POSTPONED, DEAD])
    assert.deepEqual(await one.settle(withResult(events, result)), ['lost'])
  const again = await other.take(takeFrom(keys))
  assert.deepEqual(again.events.map(whatOf), ['trigger a'])
  assert.equal(again.events[0]?.attempts, 0)
})

test(
  'an event whose delivery is reported late is not delivered again, and its alert goes on',
  { skip },
  async (t) => {
    const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
    await one.add([fleetItem(alertItem('trigger', 'a')), fleetItem(alertItem('resolve', 'a'))])
    const { events } = await one.take(takeFrom(await claimAll(one)))
    await endLeases()
    const keys = await claimAll(other)
    assert.deepEqual(await one.settle(withResult(events, DELIVERED)), ['noted'])
    const next = await other.take(takeFrom(keys))
    assert.deepEqual(next.events.map(whatOf), ['resolve a'])
    const [delivered] = await other.find({ statuses: ['delivered'], limit: 10 })
    assert.deepEqual([delivered?.id, delivered?.httpStatus], [events[0]?.id, 202])
  },
)

test(
  'a late delivery does not let the next event of its alert overtake the new owner’s attempt',
  { skip },
  async (t) => {
    const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
    await one.add([fleetItem(alertItem('trigger', 'a')), fleetItem(alertItem('resolve', 'a'))])
    const { events } = await one.take(takeFrom(await claimAll(one)))
    await endLeases()
    const keys = await claimAll(other)
    const inFlight = await other.take(takeFrom(keys))
    assert.deepEqual(inFlight.events.map(whatOf), ['trigger a'])
    await one.settle(withResult(events, DELIVERED))
    const busy = inFlight.events.map(({ id }) => id)
    assert.deepEqual((await other.take(takeFrom(keys, { busy }))).events, [])
    // The attempt that is in flight fails, but the event was delivered.
    assert.deepEqual(await other.settle(withResult(inFlight.events, POSTPONED)), ['settled'])
    assert.deepEqual((await other.take(takeFrom(keys))).events.map(whatOf), ['resolve a'])
  },
)

test('results under an old epoch of one’s own decide nothing either', { skip }, async (t) => {
  const engine = openTestFleet(t, url)
  await engine.add([fleetItem(alertItem('trigger', 'a'))])
  const { events } = await engine.take(takeFrom(await claimAll(engine)))
  await endLeases()
  await claimAll(engine)
  assert.deepEqual(await engine.settle(withResult(events, DEAD)), ['lost'])
})

test(
  'a result is not written to another event with the same id, as after a backup was restored',
  { skip },
  async (t) => {
    const engine = openTestFleet(t, url)
    await engine.add([fleetItem(alertItem('trigger', 'a'))])
    const { events } = await engine.take(takeFrom(await claimAll(engine)))
    const others = events.map((event) => ({ ...event, checksum: event.checksum + 1 }))
    assert.deepEqual(await engine.settle(withResult(others, DELIVERED)), ['gone'])
    assert.equal(await engine.pending('all'), 1)
  },
)

test('permits are counted over takeovers, and come back after the window', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  const rate = { permits: 5, windowMs: 62_000 }
  await one.add(Array.from({ length: 12 }, (_, index) => fleetItem(changeItem(`change ${index}`))))
  const first = await one.take(takeFrom(await claimAll(one), { rate, room: 3 }))
  assert.equal(first.events.length, 3)
  await endLeases()
  const keys = await claimAll(other)
  const second = await other.take(takeFrom(keys, { rate }))
  assert.equal(second.events.length, 2)
  const [key] = second.keys
  assert.ok(key !== undefined && key.isMore && key.permitInMs > 0 && key.permitInMs <= 62_000)
  const busy = second.events.map(({ id }) => id)
  assert.deepEqual((await other.take(takeFrom(keys, { rate, busy }))).events, [])
  assert.equal((await other.permit(keys, rate))[0]?.permits, 0)
  await cluster?.primary().query("UPDATE pagerduty_alert.permit SET given_at = given_at - interval '61 s'")
  assert.equal(
    (
      await other.permit(
        keys.map((one_) => ({ ...one_, most: 2 })),
        rate,
      )
    )[0]?.permits,
    0,
  )
  await cluster?.primary().query("UPDATE pagerduty_alert.permit SET given_at = given_at - interval '2 s'")
  assert.equal(
    (
      await other.permit(
        keys.map((one_) => ({ ...one_, most: 2 })),
        rate,
      )
    )[0]?.permits,
    2,
  )
  assert.equal((await other.take(takeFrom(keys, { rate, busy }))).events.length, 3)
})

test(
  'alerts are taken before change events, and those never tried in turns with those tried',
  { skip },
  async (t) => {
    const engine = openTestFleet(t, url)
    await engine.add(['a', 'b', 'c'].map((alert) => fleetItem(alertItem('trigger', alert))))
    const keys = await claimAll(engine)
    const { events } = await engine.take(takeFrom(keys))
    await engine.settle(withResult(events.slice(0, 2), POSTPONED))
    await engine.settle(withResult(events.slice(2), DELIVERED))
    await engine.add([
      fleetItem(changeItem('deployed')),
      fleetItem(alertItem('trigger', 'd')),
      fleetItem(alertItem('trigger', 'e')),
    ])
    const next = await engine.take(takeFrom(keys))
    assert.deepEqual(next.events.map(whatOf), [
      'trigger d',
      'trigger a',
      'trigger e',
      'trigger b',
      'deployed',
    ])
  },
)

test(
  'a relay that was killed and started again renews nothing that it does not know of',
  { skip },
  async (t) => {
    const [before, after_] = [openTestFleet(t, url, 'same'), openTestFleet(t, url, 'same')]
    await before.add([fleetItem(changeItem('deployed'))])
    const [lease] = await claimAll(before)
    assert.ok(lease !== undefined)
    assert.deepEqual((await after_.renew(LEASE_MS, [])).leases, [])
    assert.deepEqual((await after_.renew(LEASE_MS, [{ ...lease, epoch: lease.epoch - 1 }])).leases, [])
    await after_.release([])
    assert.equal((await before.renew(LEASE_MS, [lease])).leases.length, 1)
    await endLeases()
    await after_.renew(LEASE_MS, [])
    assert.equal((await claimAll(after_)).length, 1, 'its lease has run out')
  },
)
