import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Agent, request } from 'undici'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../../tools/simulator/simulator.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const OTHER_KEY = 'fedcba9876543210fedcba9876543210'
const TRIGGER = {
  routing_key: KEY,
  event_action: 'trigger',
  dedup_key: 'deploy/api/production',
  payload: { summary: 'Deployment failed', source: 'api', severity: 'error' },
}
const CHANGE = { routing_key: KEY, payload: { summary: 'Deployed' } }
const ALERTS = '/v2/enqueue'
const CHANGES = '/v2/change/enqueue'

async function start(t: TestContext, options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options)
  t.after(() => simulator.close())
  return simulator
}

/** One POST over a connection of its own; the body is sent as it is when it is text or bytes. */
async function post(
  { url }: Simulator,
  path: string,
  body: unknown,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<{ status: number; type: string; text: string }> {
  const dispatcher = new Agent({ pipelining: 0 })
  const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const response = await request(url + path, { method: 'POST', body: bytes, headers, dispatcher })
  const text = await response.body.text()
  await dispatcher.close()
  return { status: response.statusCode, type: String(response.headers['content-type']), text }
}

test('an alert is answered with its dedup key and kept until it is resolved', async (t) => {
  const simulator = await start(t)
  const answer = await post(simulator, ALERTS, TRIGGER)
  assert.equal(answer.status, 202)
  assert.deepEqual(JSON.parse(answer.text), {
    status: 'success',
    message: 'Event processed',
    dedup_key: TRIGGER.dedup_key,
  })
  assert.equal(simulator.alerts[0]?.status, 'triggered')
  await post(simulator, ALERTS, { routing_key: KEY, event_action: 'resolve', dedup_key: TRIGGER.dedup_key })
  assert.equal(simulator.alerts[0]?.status, 'resolved')
  assert.equal(simulator.alerts.length, 1)
})

test('a resolve of nothing is accepted and dropped', async (t) => {
  const simulator = await start(t)
  const answer = await post(simulator, ALERTS, { routing_key: KEY, event_action: 'resolve', dedup_key: 'k' })
  assert.equal(answer.status, 202)
  assert.deepEqual(simulator.alerts, [])
})

test('change events are answered without a dedup key and kept in order, doubles included', async (t) => {
  const simulator = await start(t)
  const answer = await post(simulator, CHANGES, CHANGE)
  assert.equal(answer.status, 202)
  assert.deepEqual(JSON.parse(answer.text), { status: 'success', message: 'Change event processed' })
  await post(simulator, CHANGES, { ...CHANGE, payload: { summary: 'second' } })
  await post(simulator, CHANGES, CHANGE)
  assert.deepEqual(
    simulator.changes.map(({ payload }) => payload.summary),
    ['Deployed', 'second', 'Deployed'],
  )
})

const REFUSALS: [string, string, unknown, number, string][] = [
  [
    'an invalid alert',
    ALERTS,
    { ...TRIGGER, payload: {} },
    400,
    JSON.stringify({
      status: 'invalid event',
      message: 'Event object is invalid',
      errors: ['summary', 'source', 'severity'].map((name) => `'payload.${name}' is missing or blank`),
    }),
  ],
  [
    'an invalid change',
    CHANGES,
    { ...CHANGE, links: Array.from({ length: 51 }, () => ({ href: 'https://example.com' })) },
    400,
    '{"error":["links should have at most 50 item(s)"]}',
  ],
  [
    'an unreadable body',
    ALERTS,
    '{"routing_key":',
    400,
    '{"status":"Unrecognized object","message":"Event object format is unrecognized","errors":["JSON parse error"]}',
  ],
  ['an unknown key', ALERTS, { ...TRIGGER, routing_key: OTHER_KEY }, 400, 'Invalid routing key'],
  ['an oversized body', ALERTS, 'x'.repeat(2_000_000), 413, 'Request Entity Too Large'],
  ['an unknown path', '/v1/enqueue', TRIGGER, 404, 'Not Found'],
]
for (const [name, path, body, status, text] of REFUSALS) {
  test(`${name} is refused as PagerDuty refuses it, and recorded`, async (t) => {
    const simulator = await start(t, { knownKeys: [KEY] })
    const answer = await post(simulator, path, body)
    assert.deepEqual([answer.status, answer.text], [status, text])
    assert.match(answer.type, text.startsWith('{') ? /^application\/json/ : /^text\/plain/)
    assert.deepEqual(
      simulator.requests.map((recorded) => recorded.path),
      [path],
    )
    assert.deepEqual([...simulator.alerts, ...simulator.changes], [])
  })
}

test('a request is recorded to the byte, with its headers, its time and its JSON', async (t) => {
  const simulator = await start(t)
  const body = Buffer.from(` ${JSON.stringify({ ...TRIGGER, client: 'é' })}\n`)
  const beforeMs = Date.now()
  await post(simulator, `${ALERTS}?x=1`, body, { 'content-type': 'text/plain', 'X-Odd': '1' })
  const [recorded] = simulator.requests
  assert.ok(recorded)
  assert.equal(recorded.method, 'POST')
  assert.equal(recorded.path, `${ALERTS}?x=1`)
  assert.equal(recorded.headers['x-odd'], '1')
  assert.ok(recorded.body.equals(body))
  assert.deepEqual(recorded.json, { ...TRIGGER, client: 'é' })
  assert.ok(recorded.receivedAtMs >= beforeMs && recorded.receivedAtMs <= Date.now())
})

test('a body without a content type, and one with a broken one, are recorded', async (t) => {
  const simulator = await start(t)
  assert.equal((await post(simulator, ALERTS, TRIGGER, {})).status, 202)
  assert.equal((await post(simulator, ALERTS, TRIGGER, { 'content-type': ';;' })).status, 415)
  assert.equal(simulator.requests.length, 2)
})

test('a request that breaks off is recorded without a body', async (t) => {
  const simulator = await start(t)
  const socket = connect(simulator.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write('POST /v2/enqueue HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99\r\n\r\n')
  await once(socket, 'data')
  socket.end('{"routing')
  const [recorded] = await simulator.waitForRequests(1)
  assert.equal(recorded?.body.length, 0)
  assert.deepEqual(simulator.alerts, [])
})

test('two requests of one connection have the same remote port', async (t) => {
  const simulator = await start(t)
  const dispatcher = new Agent({ connections: 1 })
  t.after(() => dispatcher.close())
  for (const _ of [1, 2]) {
    const options = { method: 'POST', body: JSON.stringify(CHANGE), dispatcher } as const
    const response = await request(simulator.url + CHANGES, options)
    await response.body.text()
  }
  await post(simulator, CHANGES, CHANGE)
  const [first, second, other] = simulator.requests
  assert.equal(first?.remotePort, second?.remotePort)
  assert.notEqual(first?.remotePort, other?.remotePort)
})

test('waiting for requests ends with the last of them, or with an error that names what came', async (t) => {
  const simulator = await start(t)
  const waiting = simulator.waitForRequests(2)
  await post(simulator, CHANGES, CHANGE)
  await post(simulator, ALERTS, TRIGGER)
  assert.equal((await waiting).length, 2)
  await assert.rejects(
    simulator.waitForRequests(3, 10),
    /3 requests, got: POST \/v2\/change\/enqueue, POST \/v2\/enqueue/,
  )
})

test('a reset forgets everything and keeps the lists alive', async (t) => {
  const simulator = await start(t)
  const { requests, alerts, changes } = simulator
  simulator.behave({ endpoint: '/elsewhere', behaviour: { kind: 'answer', status: 500 } })
  await post(simulator, ALERTS, TRIGGER)
  await post(simulator, CHANGES, CHANGE)
  simulator.reset()
  assert.deepEqual([...requests, ...alerts, ...changes], [])
  assert.equal((await post(simulator, '/elsewhere', '')).status, 404)
  assert.equal(requests.length, 1)
})

test('what happens is logged in lines without a whole key', async (t) => {
  const lines: string[] = []
  const simulator = await start(t, { log: (line) => lines.push(line), knownKeys: [KEY] })
  await post(simulator, ALERTS, TRIGGER)
  await post(simulator, ALERTS, { routing_key: KEY, event_action: 'resolve', dedup_key: 'k' })
  await post(simulator, CHANGES, { ...CHANGE, payload: { summary: `two\nlines and ${KEY}` } })
  await post(simulator, ALERTS, { ...TRIGGER, routing_key: OTHER_KEY })
  await post(simulator, `/${KEY}`, '')
  assert.deepEqual(lines, [
    'alert opened: "Deployment failed", error, dedup key "deploy/api/production", routing key …cdef',
    'resolve dropped, no such alert is open: dedup key "k", routing key …cdef',
    'change event: "two\\nlines and …cdef", routing key …cdef',
    'alert refused with 400: Invalid routing key',
    'POST /…cdef: no such endpoint',
  ])
})
