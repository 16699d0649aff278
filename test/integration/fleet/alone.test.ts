import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { FleetSettled } from '../../../src/fleet/fleet-items.ts'
import { claimAll, fleetItem, openTestFleet, takeFrom, whatOf } from '../../support/fleet.ts'
import { shareFleetRelays } from '../../support/fleet-relays.ts'
import { CODESHIP_PRO } from '../../support/program.ts'
import { alertBody, post } from '../../support/relay.ts'
import { alertItem, changeItem } from '../../support/spool.ts'
import { until } from '../../support/until.ts'

const { skip, cluster, fleet, url } = await shareFleetRelays()

/** How many results a relay has still to tell the fleet. */
function countUntold(directory: string): number {
  const db = new DatabaseSync(join(directory, 'spool.db'), { readOnly: true })
  try {
    return Number(db.prepare('SELECT count(*) AS count FROM untold').get()?.['count'])
  } finally {
    db.close()
  }
}

const DELIVERED: FleetSettled = { kind: 'delivered', attempts: 1, httpStatus: 202 }

test(
  'what was delivered alone after all, though the fleet has it, is not delivered again',
  { skip },
  async (t) => {
    const [relay, owner] = [openTestFleet(t, url, 'relay'), openTestFleet(t, url, 'owner')]
    const items = [
      fleetItem(alertItem('trigger', 'a')),
      fleetItem(alertItem('resolve', 'a')),
      fleetItem(changeItem('change')),
    ]
    const ids = await relay.add(items)
    const again = items.map((item, index) => (index === 1 ? item : { ...item, settled: DELIVERED }))
    assert.deepEqual(await relay.add(again), ids)
    const keys = await claimAll(owner)
    const { events } = await owner.take(takeFrom(keys))
    assert.deepEqual(events.map(whatOf), ['resolve a'])
    const listed = await relay.find({ statuses: ['delivered'], limit: 10 })
    assert.deepEqual(
      listed.map(({ id, origin }) => [id, origin]),
      [ids[2], ids[0]].map((id) => [id, 'relay']),
    )
  },
)

test('while the owner attempts it, the next event of its alert waits', { skip }, async (t) => {
  const [relay, owner] = [openTestFleet(t, url, 'relay'), openTestFleet(t, url, 'owner')]
  const items = [fleetItem(alertItem('trigger', 'a')), fleetItem(alertItem('resolve', 'a'))]
  await relay.add(items)
  const keys = await claimAll(owner)
  const { events } = await owner.take(takeFrom(keys))
  await relay.add(items.slice(0, 1).map((item) => ({ ...item, settled: DELIVERED })))
  const busy = events.map(({ id }) => id)
  assert.deepEqual((await owner.take(takeFrom(keys, { busy }))).events, [])
  const failed = events.map(
    (event) => ({ ...event, kind: 'postponed', reason: '503', waitMs: 60_000 }) as const,
  )
  assert.deepEqual(await owner.settle(failed), ['settled'])
  assert.deepEqual((await owner.take(takeFrom(keys))).events.map(whatOf), ['resolve a'])
})

test('a result that was told alone makes earlier dead events of its alert old', { skip }, async (t) => {
  const engine = openTestFleet(t, url)
  const refused: FleetSettled = { kind: 'dead', attempts: 1, cause: 'refused', reason: 'no', httpStatus: 400 }
  await engine.add([fleetItem(alertItem('trigger', 'a'), { settled: refused })])
  await engine.add([fleetItem(alertItem('resolve', 'a'), { settled: DELIVERED })])
  assert.deepEqual(await engine.retry({}), { retried: 0, leftOut: 1 })
})

test(
  'a deployment has all of its events, in whichever order the fleet learns of them',
  { skip },
  async (t) => {
    const engine = openTestFleet(t, url)
    for (const [build, tellsFirst] of [
      ['1', true],
      ['2', false],
    ] as const) {
      const details = {
        outcome: 'success',
        repository: 'acme/shop',
        environment: 'production',
        build_id: build,
      }
      const payload = { summary: build, source: 'acme/shop', custom_details: details }
      const change = fleetItem({ ...changeItem(''), event: { kind: 'change', body: { payload } } })
      const resolve = fleetItem(alertItem('resolve', 'deploy/acme/shop/production'))
      const both = [change, resolve].map((item, index) => ({
        ...item,
        others: [[change, resolve][1 - index]?.originId ?? ''],
      }))
      const ids: number[] = []
      for (const item of tellsFirst ? both : both.toReversed()) {
        ids.push(...(await engine.add([{ ...item, settled: DELIVERED }])))
        if (build === '1') await engine.deployments({ limit: 1 }) // merges what was told
      }
      const [deployment] = await engine.deployments({ limit: 1 })
      assert.deepEqual(
        [deployment?.buildId, deployment?.eventIds, deployment?.told],
        [build, ids, 'delivered'],
      )
    }
  },
)

test(
  'a relay that was killed after it delivered alone tells the fleet when it is back, and what waits joins it',
  { skip },
  async () => {
    if (fleet === undefined) return
    const primary = cluster?.primary()
    await primary?.kill()
    const env = { ...CODESHIP_PRO, PAGERDUTY_FLEET_ALONE: '1ms' }
    fleet.simulator.behave({ containing: 'resolve', behaviour: { kind: 'answer', status: 503 } })
    const relay = await fleet.start('alone', env)
    const answer = await post(`${relay.url}/success`, '{}')
    assert.equal(answer.headers.get('x-accepted-by'), 'spool', relay.log())
    await until(
      () => countUntold(fleet.environment('alone')['PAGERDUTY_SPOOL'] ?? '') === 1,
      'the change is delivered',
    )
    await relay.stop('SIGKILL')
    fleet.simulator.reset()
    await primary?.start()
    const again = await fleet.start('alone', env)
    await until(() => fleet.simulator.requests.length === 1, 'the resolve is delivered')
    let deployments: { outcome: string; event_ids: number[]; told?: string }[] = []
    await until(async () => {
      ;({ deployments } = (await (await fetch(`${again.url}/deployments`)).json()) as {
        deployments: typeof deployments
      })
      return deployments[0]?.event_ids.length === 2
    }, 'the deployment has both')
    assert.deepEqual([deployments.length, deployments[0]?.outcome], [1, 'success'])
    const bodies = fleet.simulator.requests.map(({ body }) => body.toString())
    assert.equal(bodies.length, 1, bodies.join('\n'))
    await until(async () => {
      const { events } = (await (await fetch(`${again.url}/events?status=delivered`)).json()) as {
        events: unknown[]
      }
      return events.length === 2
    }, 'both are listed as delivered')
  },
)

test('a relay delivers alone if the database answers, but its disk is full', { skip }, async () => {
  if (fleet === undefined) return
  const primary = cluster?.primary()
  const relay = await fleet.start('full', { PAGERDUTY_FLEET_ALONE: '1ms' })
  const send = async (dedupKey: string): Promise<string | null> => {
    const answer = await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: dedupKey }))
    await answer.body?.cancel()
    return answer.headers.get('x-accepted-by')
  }
  await until(async () => (await send('before')) === 'fleet', 'it has joined')
  await until(() => fleet.simulator.requests.length > 0, 'it is delivered')
  await primary?.query(`
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER fail BEFORE INSERT ON pagerduty_alert.pending FOR EACH ROW EXECUTE FUNCTION fail()`)
  try {
    assert.equal(await send('full'), 'spool')
    const wasSent = (): boolean => fleet.simulator.requests.some(({ body }) => body.includes('"full"'))
    await until(wasSent, 'it is delivered alone')
    assert.match(
      relay.log(),
      /database refuses a statement: .* No space left on device; make room on the database’s disk \(53100\)/,
    )
    assert.doesNotMatch(relay.log(), /overdue/)
  } finally {
    await primary?.query('DROP FUNCTION fail CASCADE')
  }
  await until(async () => (await send('after')) === 'fleet', 'it uses the fleet again')
  await until(async () => {
    const { events } = (await (await fetch(`${relay.url}/events?status=delivered`)).json()) as {
      events: { dedup_key: string }[]
    }
    return events.some(({ dedup_key: dedupKey }) => dedupKey === 'full')
  }, 'the fleet lists it')
  const sent = fleet.simulator.requests.filter(({ body }) => body.includes('"full"'))
  assert.equal(sent.length, 1)
})
