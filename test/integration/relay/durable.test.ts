import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runProgram } from '../../support/program.ts'
import { alertBody, keyFor, post, type RunningRelay } from '../../support/relay.ts'
import { shareRelays } from '../../support/share-relays.ts'

const { simulator, env: direct, startRelay, newSpool } = await shareRelays()

function environment(more: Record<string, string> = {}): Record<string, string> {
  return { ...direct, PAGERDUTY_SPOOL: newSpool(), ...more }
}

interface Listed {
  readonly events: Record<string, unknown>[]
  readonly counts: Record<string, number>
}
async function list({ url }: RunningRelay, query = ''): Promise<Listed> {
  return (await (await fetch(`${url}/events${query}`)).json()) as Listed
}

test('what it has accepted outlives kill -9 and a PagerDuty that is down, and goes out once', async () => {
  const env = environment()
  simulator.behave({ behaviour: { kind: 'reset', after: 'headers' } })
  const first = await startRelay(env)
  const answer = await post(`${first.url}/v2/enqueue`, alertBody({ dedup_key: 'kept' }))
  assert.deepEqual(
    [answer.status, await answer.json()],
    [202, { status: 'success', message: 'Event processed', dedup_key: 'kept' }],
  )
  await first.stop('SIGKILL')
  simulator.reset()
  const second = await startRelay(env)
  await simulator.waitForRequests(1)
  assert.deepEqual(
    simulator.alerts.map(({ dedupKey, triggers }) => [dedupKey, triggers]),
    [['kept', 1]],
  )
  assert.equal((await second.stop()).code, 0)
})

test('Prefer: wait has an upper bound, which the answer names', async () => {
  const relay = await startRelay(environment())
  for (const [asked, applied] of [
    ['60', 'wait=60'],
    ['61', 'wait=60'],
    ['999999999', 'wait=60'],
  ] as const) {
    const answer = await post(`${relay.url}/v2/enqueue`, alertBody(), { prefer: `wait=${asked}` })
    assert.deepEqual([answer.status, answer.headers.get('preference-applied')], [202, applied])
  }
})

test('Prefer: wait answers with the outcome: delivered, refused, or still waiting', async () => {
  const relay = await startRelay(environment())
  const headers = { prefer: 'respond-async, wait=10' }
  const good = await post(`${relay.url}/v2/enqueue`, alertBody(), headers)
  assert.deepEqual([good.status, good.headers.get('preference-applied')], [202, 'wait=10'])
  assert.equal(simulator.requests.length, 1)
  simulator.behave({ times: 1, behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' } })
  const bad = await post(`${relay.url}/v2/enqueue`, alertBody(), headers)
  assert.equal(bad.status, 400)
  assert.match(await bad.text(), /Invalid routing key/)
  simulator.behave({ times: 1, behaviour: { kind: 'answer', status: 302, headers: { location: '/login' } } })
  const redirected = await post(`${relay.url}/v2/enqueue`, alertBody(), headers)
  assert.equal(redirected.status, 502, 'curl --fail takes a redirect for a success')
  simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
  const waiting = await post(`${relay.url}/v2/enqueue`, alertBody(), { prefer: 'wait=1' })
  assert.deepEqual([waiting.status, waiting.headers.get('preference-applied')], [202, null])
  await relay.stop()
})

test('a refused event is listed as dead with the reason and its key masked, and is tried again on demand', async () => {
  const relay = await startRelay(environment())
  simulator.behave({ times: 1, behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' } })
  await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'd' }), { prefer: 'wait=10' })
  const { events, counts } = await list(relay, '?status=dead')
  const { id, accepted_at: acceptedAt, reason, ...rest } = events[0] ?? {}
  assert.deepEqual(rest, {
    kind: 'alert',
    action: 'trigger',
    key: '…cdef',
    dedup_key: 'd',
    status: 'dead',
    attempts: 1,
  })
  assert.match(String(acceptedAt), /^\d{4}-\d\d-\d\dT.*Z$/)
  assert.match(String(reason), /400: Invalid routing key/)
  assert.equal(counts['dead'], 1)
  const retry = async (body: unknown): Promise<unknown> =>
    await (await post(`${relay.url}/events/retry`, body)).json()
  assert.deepEqual(await retry({ key: '…0000' }), { retried: 0 })
  assert.deepEqual(await retry({ id: Number(id) + 1 }), { retried: 0 })
  assert.deepEqual(await retry({ key: '…cdef' }), { retried: 1 })
  await simulator.waitForRequests(2)
  assert.equal(simulator.alerts[0]?.status, 'triggered')
  await relay.stop()
})

for (const body of ['{"id":"x"}', '{"id":1,"key":"a"}', '{"all":true}', '[]']) {
  test(`a retry or discarding of ${body} is answered 400`, async (context) => {
    const relay = await startRelay(environment())
    context.after(() => relay.stop())
    assert.equal((await post(`${relay.url}/events/retry`, body)).status, 400)
    assert.equal((await post(`${relay.url}/events/discard`, body)).status, 400)
  })
}

test('a full spool is 503 with Retry-After, and metrics show what it holds', async () => {
  const relay = await startRelay(environment({ PAGERDUTY_SPOOL_LIMIT: '1' }))
  simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 202)
  const full = await post(`${relay.url}/v2/enqueue`, alertBody({ routing_key: keyFor('other') }))
  assert.deepEqual([full.status, full.headers.get('retry-after')], [503, '10'])
  const metrics = await (await fetch(`${relay.url}/metrics`)).text()
  assert.match(metrics, /^pagerduty_alert_spool_events\{status="pending"\} 1$/m)
  assert.match(metrics, /^pagerduty_alert_spool_oldest_pending_age_seconds \d/m)
  assert.match(metrics, /^pagerduty_alert_spool_delivering 1$/m)
  const ready = await fetch(`${relay.url}/readyz`)
  assert.equal(ready.status, 503)
  assert.match(await ready.text(), /the spool is full: it keeps at most 1 events \(PAGERDUTY_SPOOL_LIMIT\)/)
  await relay.stop()
})

test('dead events of one caller keep nobody else from posting, and are discarded on demand', async () => {
  const relay = await startRelay(environment({ PAGERDUTY_SPOOL_LIMIT: '2' }))
  simulator.behave({ times: 3, behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' } })
  for (const number of [1, 2, 3]) {
    const body = alertBody({ dedup_key: String(number), routing_key: keyFor('stale') })
    await post(`${relay.url}/v2/enqueue`, body, { prefer: 'wait=10' })
  }
  assert.equal((await list(relay)).counts['dead'], 3)
  assert.equal((await fetch(`${relay.url}/readyz`)).status, 200)
  const good = await post(`${relay.url}/v2/enqueue`, alertBody(), { prefer: 'wait=10' })
  assert.deepEqual([good.status, good.headers.get('preference-applied')], [202, 'wait=10'])
  const discard = async (body: unknown): Promise<unknown> =>
    await (await post(`${relay.url}/events/discard`, body)).json()
  const [first] = (await list(relay, '?status=dead')).events
  assert.deepEqual(await discard({ key: '…0000' }), { discarded: 0 })
  assert.deepEqual(await discard({ id: first?.['id'] }), { discarded: 1 })
  assert.deepEqual(await discard({}), { discarded: 2 })
  assert.equal((await list(relay)).counts['dead'], 0)
  const metrics = await (await fetch(`${relay.url}/metrics`)).text()
  assert.match(metrics, /^pagerduty_alert_events_dead_crowded_out_total 0$/m)
  await relay.stop()
})

test('a retry of all does not open an alert again that was resolved since, and says so', async () => {
  const relay = await startRelay(environment())
  simulator.behave({ times: 1, behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' } })
  const wait = { prefer: 'wait=10' }
  await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'd' }), wait)
  await post(`${relay.url}/v2/enqueue`, { event_action: 'resolve', dedup_key: 'd' }, wait)
  const retry = async (body: unknown): Promise<Record<string, unknown>> =>
    (await (await post(`${relay.url}/events/retry`, body)).json()) as Record<string, unknown>
  const { note, ...answer } = await retry({})
  assert.deepEqual(answer, { retried: 0, left_out: 1 })
  assert.match(String(note), /a later event of the same alert was delivered/)
  const [dead] = (await list(relay, '?status=dead')).events
  assert.deepEqual(await retry({ id: dead?.['id'] }), { retried: 1 })
  await simulator.waitForRequests(3)
  await relay.stop()
})

test('flush waits for the relay, and fails for a dead event, which it names', async () => {
  const relay = await startRelay(environment())
  const client = { PAGERDUTY_RELAY_URL: relay.url }
  await post(`${relay.url}/failure`, {})
  assert.equal((await runProgram(['flush'], { env: client })).code, 0)
  assert.equal(simulator.alerts.length, 1)
  simulator.behave({ times: 1, behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' } })
  await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'refused-one' }), { prefer: 'wait=10' })
  const flushed = await runProgram(['flush'], { env: client })
  assert.equal(flushed.code, 65)
  assert.match(flushed.stderr, /refused-one/)
  await relay.stop()
})

test('what a one-shot command has kept goes out through the relay, with the key that it has by then', async () => {
  const env = environment({ PAGERDUTY_DEADLINE: '300ms' })
  simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
  assert.equal((await runProgram(['failure'], { env })).code, 0)
  simulator.reset()
  const relay = await startRelay({ ...env, PAGERDUTY_TOKEN: keyFor('rotated') })
  await simulator.waitForRequests(1)
  assert.equal(simulator.alerts[0]?.routingKey, keyFor('rotated'))
  await relay.stop()
})

test('what a relay has left goes out through flush, with the keys that it has by then', async () => {
  const keysOf = (generation: string): string =>
    `${keyFor(`first ${generation}`)},ops=${keyFor(`ops ${generation}`)}`
  const env = environment({ PAGERDUTY_TOKEN: keysOf('old') })
  simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
  const relay = await startRelay(env)
  assert.equal((await post(`${relay.url}/failure`, {})).status, 202)
  await relay.stop()
  simulator.reset()
  const flushed = await runProgram(['flush'], { env: { ...env, PAGERDUTY_TOKEN: keysOf('new') } })
  assert.equal(flushed.code, 0, flushed.stderr)
  assert.deepEqual(
    new Set(simulator.alerts.map(({ routingKey }) => routingKey)),
    new Set([keyFor('first new'), keyFor('ops new')]),
  )
})

test('of two relays on one spool one says that it delivers, the other that it does not, and neither at its end', async () => {
  const env = environment()
  const first = await startRelay(env)
  await untilLogged(first, 'this relay delivers the spool')
  const second = await startRelay(env)
  await untilLogged(second, 'another process delivers the spool')
  const { stderr } = await first.stop()
  assert.ok(!stderr.includes('another process'), stderr)
  await untilLogged(second, 'this relay delivers the spool')
  await second.stop()
})

async function untilLogged(relay: RunningRelay, text: string): Promise<void> {
  while (!relay.log().includes(text)) await once(relay.program.child.stderr, 'data')
}

test('after a 429, and when a minute’s calls are used, the status says when the next event may go', async () => {
  const relay = await startRelay(environment())
  const send = (number: number): Promise<Response> => {
    const payload = { summary: `Change ${number}`, source: 'ci' }
    return post(`${relay.url}/v2/change/enqueue`, { payload })
  }
  const nextTimes = async (): Promise<(boolean | undefined)[]> => {
    const { keys } = (await (await fetch(`${relay.url}/status`)).json()) as {
      keys: Record<string, string | undefined>[]
    }
    const [key = {}] = keys
    return ['paused_until', 'next_alert_at', 'next_change_at'].map((name) => {
      const time = key[name]
      return time === undefined ? undefined : Date.parse(time) > Date.now()
    })
  }
  await Promise.all(Array.from({ length: 81 }, (_, number) => send(number)))
  await simulator.waitForRequests(80, 60_000)
  assert.deepEqual(await nextTimes(), [undefined, undefined, true], 'change events have used their part')
  simulator.behave({ behaviour: { kind: 'answer', status: 429, headers: { 'retry-after': '300' } } })
  await post(`${relay.url}/v2/enqueue`, alertBody())
  await simulator.waitForRequests(81, 60_000)
  while ((await list(relay, '?status=pending')).events.every(({ attempts }) => attempts === 0))
    await sleep(50)
  assert.deepEqual(await nextTimes(), [true, true, true])
})
