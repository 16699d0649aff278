import assert from 'node:assert/strict'
import { connect as connectTcp, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { Agent, request } from 'undici'
import type { Behaviour } from '../../../tools/simulator/behaviour.ts'
import { LOCALHOST_TLS } from '../../../tools/simulator/localhost-tls.ts'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../../tools/simulator/simulator.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const TRIGGER = JSON.stringify({
  routing_key: KEY,
  event_action: 'trigger',
  dedup_key: 'k',
  payload: { summary: 's', source: 'ci', severity: 'error' },
})
const CHANGE = JSON.stringify({ routing_key: KEY, payload: { summary: 's' } })

interface Seen {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
}

async function start(
  t: TestContext,
  options: SimulatorOptions,
  ...behaviours: Behaviour[]
): Promise<Simulator> {
  const simulator = await startSimulator(options)
  t.after(() => simulator.close())
  for (const behaviour of behaviours) simulator.behave({ times: 1, behaviour })
  return simulator
}

function client(t: TestContext): Agent {
  const dispatcher = new Agent({ connect: { ca: LOCALHOST_TLS.cert }, connections: 1 })
  t.after(() => dispatcher.destroy())
  return dispatcher
}

async function post(
  dispatcher: Agent,
  { url }: Simulator,
  path = '/v2/enqueue',
  body = TRIGGER,
): Promise<Seen> {
  const {
    statusCode: status,
    headers,
    body: stream,
  } = await request(url + path, { method: 'POST', body, dispatcher })
  return { status, headers, text: await stream.text() }
}

/** Sends a POST by hand and gives everything that came back, and how the connection ended. */
async function postByHand(
  { url, port }: Simulator,
  t: TestContext,
  header = 'Host: x',
): Promise<{ text: string; error: string | undefined }> {
  const target = { port, host: '127.0.0.1' }
  const socket: Socket = url.startsWith('https')
    ? connectTls({ ...target, ca: LOCALHOST_TLS.cert })
    : connectTcp(target)
  t.after(() => socket.destroy())
  const chunks: Buffer[] = []
  let error: string | undefined
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', (problem: NodeJS.ErrnoException) => (error = problem.code))
  socket.write(
    `POST /v2/enqueue HTTP/1.1\r\n${header}\r\nContent-Length: ${TRIGGER.length}\r\n\r\n${TRIGGER}`,
  )
  await new Promise((resolve) => socket.once('close', resolve))
  return { text: Buffer.concat(chunks).toString(), error }
}

const SCHEMES: [string, SimulatorOptions][] = [
  ['http', {}],
  ['https', { tls: LOCALHOST_TLS }],
]
for (const [scheme, options] of SCHEMES) {
  test(`${scheme}: the URL says so and the usual answer comes`, async (t) => {
    const simulator = await start(t, options)
    assert.ok(simulator.url.startsWith(`${scheme}://127.0.0.1:`))
    assert.equal((await post(client(t), simulator)).status, 202)
  })

  test(`${scheme}: an answer may be any, and the event is not taken`, async (t) => {
    const simulator = await start(
      t,
      options,
      { kind: 'answer', status: 429, headers: { 'retry-after': '7' }, body: '<html>' },
      { kind: 'answer', status: 307, headers: { location: '/elsewhere' } },
    )
    const dispatcher = client(t)
    const tooMany = await post(dispatcher, simulator)
    assert.deepEqual([tooMany.status, tooMany.headers['retry-after'], tooMany.text], [429, '7', '<html>'])
    const redirect = await post(dispatcher, simulator)
    assert.deepEqual([redirect.status, redirect.headers['location'], redirect.text], [307, '/elsewhere', ''])
    assert.deepEqual(simulator.alerts, [])
    assert.equal((await post(dispatcher, simulator)).status, 202)
  })

  test(`${scheme}: the request's body comes back`, async (t) => {
    const simulator = await start(t, options, { kind: 'echo', status: 400 })
    const { status, text } = await post(client(t), simulator)
    assert.deepEqual([status, text], [400, TRIGGER])
  })

  test(`${scheme}: a flood has all its bytes`, async (t) => {
    const simulator = await start(t, options, { kind: 'flood', status: 500, bytes: 5_000_000 })
    assert.equal((await post(client(t), simulator)).text.length, 5_000_000)
  })

  test(`${scheme}: a delay comes before the answer`, async (t) => {
    const simulator = await start(t, options, { kind: 'usual', delayMs: 80 })
    const startedMs = performance.now()
    assert.equal((await post(client(t), simulator)).status, 202)
    assert.ok(performance.now() - startedMs >= 79)
  })

  test(`${scheme}: a connection is closed after an answer that did not announce it`, async (t) => {
    const simulator = await start(t, options, { kind: 'close' })
    const { text, error } = await postByHand(simulator, t)
    assert.match(text, /^HTTP\/1.1 202 .*"dedup_key":"k"}$/s)
    assert.doesNotMatch(text, /connection: close/i)
    assert.equal(error, undefined)
    assert.equal(simulator.alerts.length, 1)
  })

  test(`${scheme}: a truncated answer ends orderly in the middle, with the event taken`, async (t) => {
    const simulator = await start(t, options, { kind: 'truncate' })
    const { text, error } = await postByHand(simulator, t)
    assert.match(text, /^HTTP\/1.1 202 .*\r\n\r\n\{"status":"success"[^}]*$/s)
    assert.equal(error, undefined)
    assert.equal(simulator.alerts.length, 1)
  })

  test(`${scheme}: a reset on the headers leaves the body unread`, async (t) => {
    const simulator = await start(t, options, { kind: 'reset', after: 'headers' })
    assert.deepEqual(await postByHand(simulator, t), { text: '', error: 'ECONNRESET' })
    assert.deepEqual(
      simulator.requests.map(({ body }) => body.length),
      [0],
    )
  })

  test(`${scheme}: a reset after the body has the request recorded and the event not taken`, async (t) => {
    const simulator = await start(t, options, { kind: 'reset', after: 'body' })
    assert.deepEqual(await postByHand(simulator, t), { text: '', error: 'ECONNRESET' })
    assert.deepEqual(
      simulator.requests.map(({ body }) => body.length),
      [TRIGGER.length],
    )
    assert.deepEqual(simulator.alerts, [])
  })

  test(`${scheme}: a reset in the middle of the answer comes after the event was taken`, async (t) => {
    const simulator = await start(t, options, { kind: 'reset', after: 'half-answer' })
    const { text, error } = await postByHand(simulator, t)
    assert.match(text, /^HTTP\/1.1 202 .*\r\n\r\n\{"status":"success"[^}]*$/s)
    assert.equal(error, 'ECONNRESET')
    assert.equal(simulator.alerts.length, 1)
  })

  test(`${scheme}: nothing comes after a request, and close ends it`, async (t) => {
    const simulator = await start(t, options, { kind: 'hang', after: 'request' })
    const ended = postByHand(simulator, t)
    await simulator.waitForRequests(1)
    await simulator.close()
    assert.equal((await ended).text, '')
    assert.deepEqual(simulator.alerts, [])
  })

  test(`${scheme}: nothing comes after an answer's headers, and close ends it`, async (t) => {
    const simulator = await start(t, options, { kind: 'hang', after: 'headers' })
    const dispatcher = client(t)
    const response = await request(`${simulator.url}/v2/enqueue`, {
      method: 'POST',
      body: TRIGGER,
      dispatcher,
    })
    assert.equal(response.statusCode, 202)
    assert.equal(simulator.alerts.length, 1)
    const body = assert.rejects(response.body.text())
    await simulator.close()
    await body
  })
}

test('a connection on which TLS never begins does not hold up close', async (t) => {
  const simulator = await start(t, { tls: LOCALHOST_TLS })
  const socket = connectTcp(simulator.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('connect', resolve))
  const ended = new Promise((resolve) => socket.once('close', resolve))
  await simulator.close()
  await ended
})

test('a long delay does not hold up close, and no late answer slips out', async (t) => {
  const simulator = await start(t, {}, { kind: 'usual', delayMs: 60_000 })
  const ended = postByHand(simulator, t)
  await simulator.waitForRequests(1)
  await simulator.close()
  assert.equal((await ended).text, '')
  assert.deepEqual(simulator.alerts, [])
})

test('one endpoint may behave while the other is as usual', async (t) => {
  const simulator = await start(t, {})
  const dispatcher = client(t)
  simulator.behave({ endpoint: '/v2/enqueue', behaviour: { kind: 'answer', status: 503 } })
  assert.equal((await post(dispatcher, simulator, '/v2/change/enqueue', CHANGE)).status, 202)
  assert.equal((await post(dispatcher, simulator)).status, 503)
  assert.equal((await post(dispatcher, simulator)).status, 503)
})

test('an instruction about what a request contains goes before all others, and is not used up', async (t) => {
  const simulator = await start(t, {}, { kind: 'answer', status: 503 })
  simulator.behave({ containing: '"dedup_key":"k"', behaviour: { kind: 'answer', status: 500 } })
  const dispatcher = client(t)
  for (const status of [500, 500]) assert.equal((await post(dispatcher, simulator)).status, status)
  const other = TRIGGER.replace('"k"', '"other"')
  assert.equal((await post(dispatcher, simulator, '/v2/enqueue', other)).status, 202)
  simulator.behave({ containing: '"dedup_key":"k"', behaviour: { kind: 'usual' } })
  assert.equal((await post(dispatcher, simulator)).status, 202)
})

test('interim answers, odd heads and compressed bodies are sent as they were asked for', async (t) => {
  const text = async (behaviour: Behaviour): Promise<string> =>
    (await postByHand(await start(t, {}, behaviour), t, 'Host: x\r\nConnection: close')).text
  assert.match(
    await text({ kind: 'interim', statuses: [100, 103], headers: 1 }),
    /^HTTP\/1\.1 100 Interim\r\nx-filler-0: x\r\n\r\nHTTP\/1\.1 103 .*HTTP\/1\.1 202 /s,
  )
  assert.match(await text({ kind: 'malformed', lines: ['x name: 1'] }), /^HTTP\/1\.1 202 OK\r\nx name: 1\r\n/)
  assert.equal((await text({ kind: 'headers', count: 9 })).match(/x-filler/g)?.length, 9)
  assert.match(
    await text({ kind: 'compressed', status: 500, coding: 'gzip', body: 'oops' }),
    /^HTTP\/1\.1 500 .*content-encoding: gzip/s,
  )
})
