import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { shareFleetRelays, metricsOf } from '../../support/fleet-relays.ts'
import { alertBody, keyFor, post, type RunningRelay } from '../../support/relay.ts'
import { CODESHIP_PRO, runProgram } from '../../support/program.ts'
import { until } from '../../support/until.ts'

const { skip, cluster, fleet } = await shareFleetRelays()

async function start(name: string, env: Record<string, string> = {}): Promise<RunningRelay> {
  if (fleet === undefined) throw new Error('skipped')
  return await fleet.start(name, env)
}
const isJoined = async (relay: RunningRelay): Promise<boolean> =>
  (await metricsOf(relay))['fleet_engine_up'] === 1 && /database answers/.test(relay.log())

test('what one relay accepts, the fleet delivers, and every relay lists', { skip }, async () => {
  const [one, other] = await Promise.all([start('one'), start('other')])
  await until(async () => (await isJoined(one)) && (await isJoined(other)), 'both have joined')
  await until(async () => (await send(one, { dedup_key: 'a' })) === 'fleet', 'the fleet takes it')
  await until(() => fleet?.simulator.alerts.length === 1, 'it is delivered')
  await until(async () => {
    const { events } = (await (await fetch(`${other.url}/events?status=delivered`)).json()) as {
      events: { dedup_key: string }[]
    }
    return events[0]?.dedup_key === 'a'
  }, 'the other relay lists it')
  assert.equal((await one.stop()).code, 0)
  assert.equal((await other.stop()).code, 0)
})

const send = async (relay: RunningRelay, body: Record<string, unknown>): Promise<string | null> => {
  const answer = await post(`${relay.url}/v2/enqueue`, alertBody(body))
  await answer.body?.cancel()
  assert.equal(answer.status, 202, relay.log())
  return answer.headers.get('x-accepted-by')
}
/** What PagerDuty got of each alert, in order. */
const received = (): Map<string, string[]> => {
  const alerts = new Map<string, string[]>()
  for (const { body } of fleet?.simulator.requests ?? []) {
    const event = JSON.parse(body.toString()) as { event_action: string; dedup_key: string }
    alerts.set(event.dedup_key, [...(alerts.get(event.dedup_key) ?? []), event.event_action])
  }
  return alerts
}

test('an alert’s events keep their order, whichever relay gets each', { skip }, async () => {
  const relays = await Promise.all(['one', 'two', 'three'].map((name) => start(name)))
  for (const relay of relays) await until(() => isJoined(relay), 'it has joined')
  const alerts = Array.from({ length: 30 }, (_, index) => `alert-${index}`)
  const actions = ['trigger', 'acknowledge', 'resolve']
  const takenBy = await Promise.all(
    alerts.map(async (dedupKey, index) => {
      const by: (string | null)[] = []
      for (const [step, action] of actions.entries()) {
        const relay = relays[(index + step * 2) % relays.length]
        if (relay !== undefined) by.push(await send(relay, { event_action: action, dedup_key: dedupKey }))
      }
      return by
    }),
  )
  await until(() => (fleet?.simulator.requests.length ?? 0) >= 90, 'all are delivered')
  // On a busy machine the database may be late for some, and what a relay keeps in its own spool is not ordered with others.
  const ordered = alerts.filter((_, index) => takenBy[index]?.every((by) => by === 'fleet'))
  for (const alert of ordered) assert.deepEqual(received().get(alert), actions)
  for (const alert of alerts)
    assert.deepEqual(new Set(received().get(alert)), new Set(actions), `every event of ${alert}`)
})

test(
  'a relay accepts while the database is away, at its start and later, and forwards in order',
  { skip },
  async () => {
    const primary = cluster?.primary()
    await primary?.kill()
    const relay = await start('away')
    const ready = await fetch(`${relay.url}/readyz`)
    assert.deepEqual([ready.status, await ready.json()], [200, { status: 'ready', accepts_into: 'spool' }])
    assert.equal(await send(relay, { dedup_key: 'a' }), 'spool')
    assert.equal(await send(relay, { dedup_key: 'a', event_action: 'resolve' }), 'spool')
    const listed = (await (await fetch(`${relay.url}/events?status=pending`)).json()) as {
      events: { where?: string }[]
    }
    assert.deepEqual(
      listed.events.map(({ where }) => where),
      ['spool', 'spool'],
    )
    await primary?.start()
    await until(() => received().get('a')?.length === 2, 'both are delivered')
    await until(async () => (await send(relay, { dedup_key: 'b' })) === 'fleet', 'it uses the fleet again')
    await primary?.kill()
    assert.equal(await send(relay, { dedup_key: 'c' }), 'spool')
    assert.equal(await send(relay, { dedup_key: 'c', event_action: 'resolve' }), 'spool')
    await primary?.start()
    await until(() => received().get('c')?.length === 2, 'both are delivered')
    assert.deepEqual(received().get('a'), ['trigger', 'resolve'])
    assert.deepEqual(received().get('c'), ['trigger', 'resolve'])
  },
)

test(
  'a success that was accepted without the database has its resolve when the fleet has both',
  { skip },
  async () => {
    const primary = cluster?.primary()
    await primary?.kill()
    const relay = await start('success', CODESHIP_PRO)
    const answer = await post(`${relay.url}/success`, '{}')
    assert.equal(answer.headers.get('x-accepted-by'), 'spool', relay.log())
    await primary?.start()
    await until(() => fleet?.simulator.requests.length === 2, 'both are delivered')
    const other = await start('other')
    await until(() => isJoined(other), 'it has joined')
    const { deployments } = (await (await fetch(`${other.url}/deployments`)).json()) as {
      deployments: { outcome: string; event_ids: number[] }[]
    }
    assert.deepEqual(
      deployments.map(({ outcome, event_ids: ids }) => [outcome, ids.length]),
      [['success', 2]],
    )
  },
)

test('a relay alone delivers what only it has, and tells the fleet afterwards', { skip }, async () => {
  const primary = cluster?.primary()
  await primary?.kill()
  const relay = await start('alone', { PAGERDUTY_FLEET_ALONE: '1s' })
  assert.equal(await send(relay, { dedup_key: 'x' }), 'spool')
  await until(() => received().get('x')?.length === 1, 'it is delivered without the fleet')
  await primary?.start()
  const other = await start('other')
  await until(async () => {
    const { events } = (await (await fetch(`${other.url}/events?status=delivered`)).json()) as {
      events: { dedup_key: string }[]
    }
    return events.some(({ dedup_key: dedupKey }) => dedupKey === 'x')
  }, 'the fleet lists it')
  assert.deepEqual(received().get('x'), ['trigger'])
})

test('a caller that waits learns what another relay’s PagerDuty said', { skip }, async () => {
  const [one, other] = await Promise.all([start('one'), start('other')])
  await until(async () => (await isJoined(one)) && (await isJoined(other)), 'both have joined')
  for (const relay of [one, other]) {
    const answer = await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'w' }), { prefer: 'wait=30' })
    assert.deepEqual([answer.status, answer.headers.get('preference-applied')], [202, 'wait=30'])
  }
  fleet?.simulator.behave({ behaviour: { kind: 'answer', status: 400 } })
  const refused = await post(`${one.url}/v2/enqueue`, alertBody({ dedup_key: 'w' }), { prefer: 'wait=30' })
  assert.equal(refused.status, 400)
})

test(
  'without a secret, events with a caller’s own key stay with their relay, which delivers them',
  { skip },
  async () => {
    const relay = await start('own')
    await until(() => isJoined(relay), 'it has joined')
    assert.equal(await send(relay, { routing_key: keyFor('caller'), dedup_key: 'o' }), 'spool')
    await until(() => received().get('o')?.length === 1, 'it is delivered')
    assert.equal(await send(relay, { dedup_key: 'p' }), 'fleet')
  },
)

test('flush forwards what a relay has left behind, and waits until that is delivered', { skip }, async () => {
  const primary = cluster?.primary()
  await primary?.kill()
  const relay = await start('left')
  assert.equal(await send(relay, { dedup_key: 'l' }), 'spool')
  await relay.stop('SIGKILL')
  await primary?.start()
  const env = fleet?.environment('left') ?? {}
  const { code, stdout, stderr } = await runProgram(['flush', '--json'], { env })
  assert.equal(code, 0, stderr)
  assert.deepEqual(JSON.parse(stdout), {
    command: 'flush',
    outcome: 'accepted',
    exit_code: 0,
    counts: { pending: 0, delivered: 1, dead: 0 },
    dead: [],
  })
  assert.deepEqual(received().get('l'), ['trigger'])
})

test(
  'flush through a relay waits for what that relay accepted, and not for the others',
  { skip },
  async () => {
    const [one, other] = await Promise.all([start('one'), start('other')])
    await until(async () => (await isJoined(one)) && (await isJoined(other)), 'both have joined')
    fleet?.simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
    assert.equal(await send(other, { dedup_key: 'f' }), 'fleet')
    const flush = async (relay: RunningRelay, ...args: string[]): Promise<number | null> =>
      (await runProgram(['flush', ...args], { env: { PAGERDUTY_RELAY_URL: relay.url } })).code
    assert.equal(await flush(one, '--deadline', '30s'), 0)
    assert.equal(await flush(other, '--deadline', '2s'), 75)
    assert.equal(await flush(one, '--all', '--deadline', '2s'), 75)
    fleet?.simulator.reset()
    assert.equal(await flush(one, '--all', '--deadline', '60s'), 0)
    assert.deepEqual(received().get('f'), ['trigger'])
    const primary = cluster?.primary()
    await primary?.kill()
    try {
      assert.equal(await flush(one, '--all', '--deadline', '2s'), 75, 'what it cannot know is not delivered')
    } finally {
      await primary?.start()
    }
  },
)

test(
  'a relay ends in time while the database does not answer, and accepts until then',
  { skip },
  async () => {
    const primary = cluster?.primary()
    const relay = await start('ending')
    await until(() => isJoined(relay), 'it has joined')
    primary?.freeze()
    try {
      assert.equal(await send(relay, { dedup_key: 'e' }), 'spool')
      const stopping = relay.stop()
      const inTime = await Promise.race([stopping, sleep(30_000, undefined, { ref: false })])
      assert.equal(inTime?.code, 0)
    } finally {
      primary?.thaw()
    }
  },
)

test('a full fleet answers 503 until something is delivered', { skip }, async () => {
  const relay = await start('full', {
    PAGERDUTY_FLEET_LIMIT: '2',
    PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:1',
  })
  let sent = 0
  const tryToSend = async (): Promise<Response> =>
    await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: `alert-${++sent}` }))
  let refused: Response | undefined
  await until(async () => {
    const answer = await tryToSend()
    if (answer.status === 503) refused = answer
    else await answer.body?.cancel()
    return refused !== undefined
  }, 'it is full')
  assert.ok(Number(refused?.headers.get('retry-after')) > 0)
  assert.match(
    (await refused?.text()) ?? '',
    /the fleet is full: it keeps at most 2 events \(PAGERDUTY_FLEET_LIMIT\)/,
  )
  await until(async () => {
    const ready = await fetch(`${relay.url}/readyz`)
    return ready.status === 503 && (await ready.text()).includes('the fleet is full')
  }, 'it is not ready')
  await until(() => relay.log().includes('the fleet is full'), 'it logs that')
  await cluster?.primary().query('TRUNCATE pagerduty_alert.pending')
  await until(async () => {
    const { status, body } = await tryToSend()
    await body?.cancel()
    return status === 202
  }, 'it has room')
})
