import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createTransport, type Transport } from '../../src/delivery/transport.ts'
import { createRequest, type PostRequest } from '../../src/delivery/request.ts'
import { createSecret } from '../../src/core/secret.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { listen } from '../support/listen.ts'
import { KEY } from '../support/program.ts'

const ACCEPTED = 'HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}'
const NEVER = new AbortController().signal

interface Served {
  readonly url: string
  /** The bytes that came over each connection. */
  readonly received: string[]
}

/** A server that does what it is told with each connection. */
async function serve(t: TestContext, onConnection: (socket: Socket, index: number) => void): Promise<Served> {
  const received: string[] = []
  const server = createServer((socket) => {
    const index = received.push('') - 1
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => (received[index] += bytes.toString('latin1')))
    onConnection(socket, index)
  })
  const { port, close } = await listen(server)
  t.after(close)
  return { url: `http://127.0.0.1:${port}`, received }
}

function open(t: TestContext, baseUrl: string): Transport {
  const transport = createTransport({ proxy: {}, baseUrl })
  t.after(() => transport.close())
  return transport
}

function trigger(baseUrl: string): PostRequest {
  const body = {
    event_action: 'trigger' as const,
    dedup_key: 'k',
    payload: { summary: 's', source: 'h', severity: 'error' as const },
  }
  return createRequest({ kind: 'alert', body }, { baseUrl, routingKey: createSecret(KEY) }, 'test')
}

/** Answers every request on a connection but the last of `requests`, on which it ends the connection in some way. */
function answerUntil(socket: Socket, requests: number, end: (socket: Socket) => unknown): void {
  let count = 0
  socket.on('data', (bytes) => {
    if (!bytes.includes('routing_key')) return
    count += 1
    if (count < requests) socket.write(ACCEPTED)
    else end(socket)
  })
}

test('requests that follow each other share a connection', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const transport = open(t, simulator.url)
  for (let count = 0; count < 3; count++) {
    assert.equal((await transport.post(trigger(simulator.url), 5000, NEVER)).kind, 'accepted')
    await setImmediate() // a connection is free again a moment after its answer
  }
  assert.equal(new Set(simulator.requests.map(({ remotePort }) => remotePort)).size, 1)
  assert.equal(new Set(simulator.requests.map(({ body }) => body.toString())).size, 1)
})

for (const [name, end] of [
  ['closes', (socket: Socket) => socket.end()],
  ['resets', (socket: Socket) => socket.resetAndDestroy()],
] as const) {
  test(`a kept connection that the server ${name} under a request is replaced within the same attempt`, async (t) => {
    const { url, received } = await serve(t, (socket, index) => answerUntil(socket, index === 0 ? 2 : 9, end))
    const transport = open(t, url)
    const request = trigger(url)
    assert.equal((await transport.post(request, 5000, NEVER)).kind, 'accepted')
    await setImmediate()
    assert.equal((await transport.post(request, 5000, NEVER)).kind, 'accepted')
    const [first = '', second = ''] = received
    assert.equal(received.length, 2)
    assert.equal(first, second + second, 'the same bytes each time, and none of them lost')
  })

  test(`a new connection that the server ${name} under its first request is left to the retry loop`, async (t) => {
    const { url, received } = await serve(t, (socket) => answerUntil(socket, 1, end))
    assert.equal((await open(t, url).post(trigger(url), 5000, NEVER)).kind, 'retry')
    assert.equal(received.length, 1)
  })
}

test('several kept connections that have gone stale cost no attempt either', async (t) => {
  const { url, received } = await serve(t, (socket, index) =>
    answerUntil(socket, index < 3 ? 2 : 9, () => socket.resetAndDestroy()),
  )
  const transport = open(t, url)
  const request = trigger(url)
  const kinds = (count: number): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, async () => (await transport.post(request, 5000, NEVER)).kind))
  assert.deepEqual(await kinds(3), ['accepted', 'accepted', 'accepted'])
  assert.equal(received.length, 3)
  await setImmediate()
  assert.deepEqual(await kinds(1), ['accepted'])
})

test('an exchange gives the whole answer, up to the requested length', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const transport = open(t, simulator.url)
  const request = {
    method: 'POST',
    url: `${simulator.url}/v2/enqueue`,
    headers: {},
    body: Buffer.from('{}'),
  } as const
  for (const [maxAnswerBytes, expected] of [
    [undefined, 64 * 1024],
    [200_000, 200_000],
    [1_000_000, 300_000],
  ] as const) {
    simulator.behave({ times: 1, behaviour: { kind: 'flood', status: 200, bytes: 300_000 } })
    const limited = { ...request, ...(maxAnswerBytes !== undefined && { maxAnswerBytes }) }
    const result = await transport.exchange(limited, 5000, NEVER)
    assert.equal(result.kind === 'answered' && result.answer.body.length, expected)
  }
})

test('an answer is seen as it is: status, headers and body, also of an error', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  simulator.behave({
    behaviour: { kind: 'answer', status: 429, headers: { 'retry-after': '7' }, body: 'slow' },
  })
  const request = { method: 'GET', url: `${simulator.url}/anything`, headers: {} } as const
  const result = await open(t, simulator.url).exchange(request, 5000, NEVER)
  assert.ok(result.kind === 'answered')
  assert.deepEqual(
    [result.answer.status, result.answer.headers['retry-after'], result.answer.body],
    [429, '7', 'slow'],
  )
})

test('an attempt ends with its time or its signal, and says which', async (t) => {
  const { url } = await serve(t, () => undefined)
  const transport = open(t, url)
  const late = await transport.post(trigger(url), 50, NEVER)
  const server = url.slice('http://'.length)
  assert.deepEqual(late, { kind: 'retry', reason: `no answer within 0.05 s, server ${server}` })
  const abort = new AbortController()
  const pending = transport.post(trigger(url), 60_000, abort.signal)
  abort.abort()
  assert.deepEqual(await pending, { kind: 'retry', reason: 'interrupted' })
})

test('closing a transport ends what is in progress', async (t) => {
  const { url } = await serve(t, () => undefined)
  const transport = open(t, url)
  const pending = transport.post(trigger(url), 60_000, NEVER)
  await setImmediate()
  await transport.close()
  assert.equal((await pending).kind, 'retry')
})

test('an accepted event does not wait out its budget for a body that never comes', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  simulator.behave({ behaviour: { kind: 'hang', after: 'headers' } })
  const startedMs = performance.now()
  const outcome = await open(t, simulator.url).post(trigger(simulator.url), 60_000, NEVER)
  assert.deepEqual(outcome, { kind: 'accepted', status: 202 })
  assert.ok(performance.now() - startedMs < 20_000)
})

test('a request that may no longer begin sends nothing, even if its connection opens only then', async (t) => {
  const { url, received } = await serve(t, (socket) => answerUntil(socket, 10, () => undefined))
  const transport = open(t, url)
  let mayBegin = true
  const pending = transport.post({ ...trigger(url), mayBegin: () => mayBegin }, 5000, NEVER)
  mayBegin = false // before the connection is open
  assert.deepEqual(await pending, { kind: 'retry', reason: 'interrupted' })
  mayBegin = true
  const next = await transport.post({ ...trigger(url), mayBegin: () => mayBegin }, 5000, NEVER)
  assert.equal(next.kind, 'accepted')
  assert.equal(received.join('').match(/POST /g)?.length, 1)
})
