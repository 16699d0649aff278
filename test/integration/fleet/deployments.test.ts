import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../../src/core/event.ts'
import type { FleetItem } from '../../../src/fleet/fleet-items.ts'
import { MAX_DEADLINES } from '../../../src/spool/deadlines.ts'
import { openFleet } from '../../../src/fleet/open.ts'
import {
  claimAll,
  deadlocksOf,
  fleetConfig,
  fleetItem,
  openTestFleet,
  shareFleet,
  takeFrom,
} from '../../support/fleet.ts'
import { alertItem, DEFAULT_KEY, ownKey } from '../../support/spool.ts'

const { skip, cluster, url } = await shareFleet()

const ALERT = 'deploy/acme/shop/production'

/** What a relay gets from a deployment; a `failure` is an alert, all others are change events. */
function report(
  outcome: 'started' | 'success' | 'failure',
  build = '1',
  details: Record<string, string> = {},
): Event {
  const payload = {
    summary: `${outcome} of build ${build}`,
    source: 'acme/shop',
    timestamp: outcome === 'started' ? '2026-01-31T12:00:00Z' : '2026-01-31T12:05:00Z',
    custom_details: {
      outcome,
      repository: 'acme/shop',
      environment: 'production',
      build_id: build,
      ...details,
    },
  }
  return outcome === 'success'
    ? { kind: 'change', body: { payload } }
    : {
        kind: 'alert',
        body: { event_action: 'trigger', dedup_key: ALERT, payload: { ...payload, severity: 'error' } },
      }
}

function itemOf(event: Event, more: Partial<FleetItem> = {}): FleetItem {
  return fleetItem({ event, key: DEFAULT_KEY }, more)
}

const start = (build = '1', withinMs?: number) => ({
  event: report('started', build),
  keys: [DEFAULT_KEY],
  ...(withinMs !== undefined && { withinMs }),
})

test('a deployment is one record, whichever relays accepted its parts', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  assert.deepEqual(await one.deadlines.begin(start()), { kind: 'running', dueInMs: undefined })
  const [change, resolve] = await other.add([
    itemOf(report('success'), { request: 1 }),
    fleetItem(alertItem('resolve', ALERT), { request: 1 }),
  ])
  const [deployment, ...others] = await one.deployments({ limit: 10 })
  assert.deepEqual(others, [])
  assert.equal(deployment?.state, 'success')
  assert.deepEqual([deployment?.eventIds, deployment?.told], [[change, resolve], 'waiting'])
  const { events } = await one.take(takeFrom(await claimAll(one)))
  await one.settle(events.map((event) => ({ ...event, kind: 'delivered', httpStatus: 202 })))
  assert.equal((await other.deployments({ limit: 10 }))[0]?.told, 'delivered')
  assert.equal((await other.deploymentsEndedSince(0)).length, 1)
})

test('deployments are found by what people know them by', { skip }, async (t) => {
  const engine = openTestFleet(t, url)
  await engine.add([
    itemOf(report('failure', '1', { branch: 'main\0' })),
    itemOf(report('success', '2', { branch: 'topic' })),
  ])
  const found = async (query: object): Promise<(string | undefined)[]> =>
    (await engine.deployments({ limit: 10, ...query })).map(({ buildId }) => buildId)
  assert.deepEqual(await found({}), ['2', '1'])
  assert.deepEqual(await found({ text: 'TOPIC' }), ['2'])
  assert.deepEqual(await found({ outcome: 'failure' }), ['1'])
  assert.deepEqual(await found({ environment: 'staging' }), [])
  assert.deepEqual(await found({ identity: ALERT, isCurrent: true }), ['2'])
  assert.deepEqual(await found({ limit: 1 }), ['2'])
})

test('failures in a row are counted over all relays', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  const base = { identity: ALERT, repository: 'acme/shop', environment: 'production' } as const
  const note = (
    engine: typeof one,
    buildId: string,
    state: 'failure' | 'success',
    endedAtMs: number,
  ): Promise<number> => engine.noteDeployment({ ...base, state, buildId, endedAtMs })
  assert.equal(await note(one, '1', 'failure', 1000), 1)
  assert.equal(await note(other, '2', 'failure', 2000), 2)
  assert.equal(await note(one, '2', 'failure', 2000), 2)
  await one.add([itemOf(report('success', '3'))])
  assert.equal(await note(other, '4', 'failure', 4000), 1)
  const counts = await Promise.all(
    [one, other].map((engine, index) => note(engine, `at once ${index}`, 'failure', 5000)),
  )
  assert.deepEqual(new Set(counts), new Set([2, 3]))
})

test('a dead event that somebody gave up does not count as delivered', { skip }, async (t) => {
  const engine = openTestFleet(t, url)
  await engine.add([itemOf(report('failure'))])
  assert.equal((await engine.deployments({ limit: 1 }))[0]?.told, 'waiting')
  const { events } = await engine.take(takeFrom(await claimAll(engine)))
  await engine.settle(
    events.map((event) => ({ ...event, kind: 'dead', cause: 'refused', reason: 'HTTP 400' })),
  )
  assert.equal((await engine.deployments({ limit: 1 }))[0]?.told, 'dead')
  assert.equal(await engine.discard({}), 1)
  assert.equal((await engine.deployments({ limit: 1 }))[0]?.told, 'dead')
})

test(
  'a deployment whose time is over triggers its alert once, whichever relays look',
  { skip },
  async (t) => {
    const engines = ['one', 'two', 'three'].map((name) => openTestFleet(t, url, name))
    const [engine] = engines
    if (engine === undefined) return
    assert.deepEqual(await engine.deadlines.begin(start('7', 60_000)), {
      kind: 'running',
      dueInMs: 60_000,
      isKnown: false,
    })
    const { withinMs: _, ...withoutLimit } = start('7', 60_000)
    const again = await engine.deadlines.begin(withoutLimit)
    assert.ok(again.kind === 'running' && again.dueInMs !== undefined && again.dueInMs <= 60_000)
    const early = await engine.deadlines.expire()
    assert.ok(early.missed.length === 0 && (early.nextInMs ?? 0) > 1000 && (early.nextInMs ?? 0) <= 60_000)
    assert.deepEqual(engine.deadlines.counts(), { open: 1, overdue: 0 })
    assert.ok(((await engine.deployments({ limit: 1 }))[0]?.dueAtMs ?? 0) > Date.now())
    await cluster?.primary().query("UPDATE pagerduty_alert.deadline SET due_at = due_at - interval '61 s'")
    const looks = await Promise.all(engines.map(({ deadlines }) => deadlines.expire()))
    const missed = looks.flatMap((look) => look.missed)
    assert.equal(missed.length, 1)
    assert.match(missed[0]?.summary ?? '', /\(build 7\) and never ended/)
    const { events } = await engine.take(takeFrom(await claimAll(engine)))
    assert.deepEqual(
      events.map(({ dedupKey }) => dedupKey),
      [ALERT],
    )
    const [deployment] = await engine.deployments({ limit: 10 })
    assert.deepEqual([deployment?.state, deployment?.isOverdue], ['failure', true])
  },
)

test('with as many deadlines as there may be, a sign of life still counts', { skip }, async (t) => {
  const engine = openTestFleet(t, url)
  await engine.deadlines.begin(start('1', 60_000))
  await cluster?.primary().query(`
    INSERT INTO pagerduty_alert.deadline
    SELECT 'alert', build::text, 'other', '1 h', '1 h', clock_timestamp() + interval '1 h', '{}', ''
    FROM generate_series(2, ${MAX_DEADLINES}) AS build`)
  assert.deepEqual(await engine.deadlines.begin(start('1', 120_000)), {
    kind: 'running',
    dueInMs: 120_000,
    isKnown: true,
  })
  assert.deepEqual(await engine.deadlines.begin(start('2', 60_000)), { kind: 'full', limit: MAX_DEADLINES })
  const listed = await engine.deployments({ limit: 10 })
  assert.deepEqual(
    listed.map(({ buildId }) => buildId),
    ['1'],
  )
  await engine.add([itemOf(report('success', '1'))])
  assert.equal((await engine.deadlines.begin(start('2', 60_000))).kind, 'running')
})

test('a start that was reported a while ago has its deadline from then', { skip }, async (t) => {
  const engine = openTestFleet(t, url)
  assert.deepEqual(await engine.deadlines.begin({ ...start('1', 1_800_000), agoMs: 1_860_000 }), {
    kind: 'running',
    dueInMs: -60_000,
    isKnown: false,
  })
  const { missed } = await engine.deadlines.expire()
  assert.match(missed[0]?.summary ?? '', /began 31 minutes ago \(build 1\) and never ended$/)
})

test('an outcome at any relay ends the deadline; one that came first leaves none', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  await one.deadlines.begin(start('1', 60_000))
  await other.add([itemOf(report('success', '1'))])
  await other.add([itemOf(report('failure', '2'))])
  assert.deepEqual(await one.deadlines.begin(start('2', 60_000)), { kind: 'ended' })
  await one.deadlines.begin(start('3', 60_000))
  await other.noteDeployment({ identity: ALERT, state: 'success', buildId: '3', endedAtMs: Date.now() })
  assert.deepEqual((await one.deadlines.expire()).nextInMs, undefined)
  assert.deepEqual(one.deadlines.counts(), { open: 0, overdue: 0 })
})

test('starts and outcomes at the same time leave no deadline', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  // Fewer than `OVERLAPPING`.
  const builds = Array.from({ length: 8 }, (_, index) => String(index))
  await Promise.all(
    builds.flatMap((build) => [
      one.deadlines.begin(start(build, 60_000)),
      other.add([itemOf(report('success', build))]),
    ]),
  )
  await one.deadlines.expire()
  assert.deepEqual(one.deadlines.counts(), { open: 0, overdue: 0 })
})

test('starts, outcomes and deadlines never meet in a deadlock', { skip }, async () => {
  const engines = ['one', 'two', 'three', 'four'].map((origin) =>
    openFleet({ fleet: fleetConfig(url), origin, version: '0.0.0' }),
  )
  for (let round = 0; round < 25; round++) {
    // Nobody has added the key of these before.
    const key = { kind: 'configured', name: `team-${round}` } as const
    const begun = { ...start(String(round), 60_000), keys: [key] }
    await engines[0]?.deadlines.begin(start(`overdue ${round}`, 1))
    await Promise.all(
      engines.flatMap((engine, index) => [
        engine.deadlines.begin(begun),
        engine.add(
          [report('success', String(round)), report('failure', `${index}`)].map((event) =>
            fleetItem({ event, key }),
          ),
        ),
        engine.deadlines.expire(),
      ]),
    )
  }
  await Promise.all(engines.map((engine) => engine.close()))
  assert.equal(await deadlocksOf(cluster), 0)
})

test('a caller’s own key is kept with a deadline only if it can be encrypted', { skip }, async (t) => {
  const plain = openTestFleet(t, url)
  const own = { ...start('1', 60_000), keys: [ownKey()] }
  assert.equal((await plain.deadlines.begin(own)).kind, 'unavailable')
  t.after(() => cluster?.primary().query('UPDATE pagerduty_alert.meta SET secret_mark = NULL'))
  const engine = openTestFleet(t, url, 'relay-2', 'a secret of more than thirty-two characters')
  assert.equal((await engine.deadlines.begin(own)).kind, 'running')
  await cluster
    ?.primary()
    .query("UPDATE pagerduty_alert.deadline SET due_at = clock_timestamp() - interval '1 s'")
  assert.equal((await engine.deadlines.expire()).missed.length, 1)
  const { leases } = await engine.claim({ most: 1, leaseMs: 60_000, names: [] })
  assert.equal(leases[0]?.key.kind, 'own')
})
