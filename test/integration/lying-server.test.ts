import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { createTransport } from '../../src/delivery/transport.ts'
import type { Behaviour } from '../../tools/simulator/behaviour.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { CA_FILE, certificate } from '../support/certificates.ts'
import { KEY, runProgram, type Run } from '../support/program.ts'
import { PROXIED_HOST, startProxy } from '../support/proxy.ts'
import { post, startRelay } from '../support/relay.ts'
import { accountWith, REST_TOKEN, runWithRest } from '../support/rest.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => {
  simulator.reset()
  simulator.seed(accountWith())
})

const INTERIM: Behaviour = { kind: 'interim', statuses: [100, 103, 102, 100], headers: 20 }
const NEVER = new AbortController().signal

/** What a server may say that has taken the event; none of it is a reason to send the event again. */
const TAKEN: Readonly<Record<string, Behaviour>> = {
  'with a 100 before it that nobody asked for': { kind: 'interim', statuses: [100] },
  'with several interim answers before it': INTERIM,
  'with interim answers byte by byte': { kind: 'interim', statuses: [103, 100], headers: 2, isSplit: true },
  'with a 101 that nobody asked for': { kind: 'interim', statuses: [101] },
  'with a hundred interim answers': { kind: 'interim', statuses: Array.from({ length: 100 }, () => 100) },
  'with thousands of headers': { kind: 'headers', count: 5000 },
  'with a header of 100 kB': { kind: 'headers', count: 1, bytes: 100_000 },
  'with a head that is longer than is read': { kind: 'headers', count: 10, bytes: 100_000 },
  'with a space in a header’s name': { kind: 'malformed', lines: ['x name: 1'] },
  'with a header without a colon': { kind: 'malformed', lines: ['x-name'] },
  'with a folded header': { kind: 'malformed', lines: ['x: 1', '  2'] },
  'with a control character in a header': { kind: 'malformed', lines: ['x: \u0001'] },
  'with two lengths': { kind: 'malformed', lines: ['content-length: 7'] },
  'with a length below zero': { kind: 'malformed', lines: ['content-length: -5'] },
  'with a length and chunks': { kind: 'malformed', lines: ['transfer-encoding: chunked'] },
  'with headers named as members of an object': {
    kind: 'malformed',
    lines: ['__proto__: 1', 'constructor: 2', 'toString: 3'],
  },
  'cut off in its body': { kind: 'truncate' },
  'and the connection is closed without a word': { kind: 'close' },
  'and the connection is reset in its middle': { kind: 'reset', after: 'half-answer' },
}

for (const [name, behaviour] of Object.entries(TAKEN)) {
  test(`an event is sent once that is answered ${name}`, async (t) => {
    simulator.behave({ behaviour })
    const transport = createTransport({ proxy: {}, baseUrl: simulator.url })
    t.after(() => transport.close())
    const body = { routing_key: KEY, event_action: 'trigger', dedup_key: 'k' }
    const payload = { summary: 's', source: 'h', severity: 'error' }
    const request = {
      method: 'POST',
      url: `${simulator.url}/v2/enqueue`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ ...body, payload })),
      secrets: [],
    } as const
    for (let count = 1; count <= 3; count++) {
      const outcome = await transport.post(request, 20_000, NEVER)
      // What is reset may have been lost on the way, so that nobody knows.
      if (behaviour.kind !== 'reset') assert.deepEqual(outcome, { kind: 'accepted', status: 202 })
      assert.equal(simulator.requests.length, count)
    }
  })
}

test('of an answer that cannot be parsed the status still counts', async (t) => {
  simulator.behave({ endpoint: '/v2/enqueue', behaviour: { kind: 'malformed', lines: ['x name: 1'] } })
  const transport = createTransport({ proxy: {}, baseUrl: simulator.url })
  t.after(() => transport.close())
  const request = { method: 'POST', url: `${simulator.url}/v2/enqueue`, headers: {}, secrets: [] } as const
  const outcome = await transport.post({ ...request, body: Buffer.from('{}') }, 20_000, NEVER)
  assert.deepEqual(outcome, { kind: 'refused', status: 400, reason: '400: no reason given' })
})

for (const coding of ['gzip', 'deflate', 'br', 'zstd'] as const) {
  test(`an error that is compressed with ${coding} is printed in words`, async () => {
    const body = '{"status":"invalid event","message":"Event object is invalid","errors":["no such key"]}'
    simulator.behave({ behaviour: { kind: 'compressed', status: 400, coding, body } })
    const { code, stderr } = await trigger({ PAGERDUTY_EVENTS_URL: simulator.url })
    assert.equal(code, 65)
    assert.match(stderr, /400: Event object is invalid: no such key/)
  })
}

test('an error that begins with a byte order mark is printed in words', async () => {
  const body = '\uFEFF{"message":"Event object is invalid","errors":["no such key"]}'
  simulator.behave({ behaviour: { kind: 'answer', status: 400, body } })
  const { code, stderr } = await trigger({ PAGERDUTY_EVENTS_URL: simulator.url })
  assert.equal(code, 65)
  assert.match(stderr, /400: Event object is invalid: no such key/)
})

async function trigger(env: Readonly<Record<string, string>>): Promise<Run> {
  const args = ['trigger', '--summary', 's', '--dedup-key', 'k']
  return await runProgram(args, { env: { PAGERDUTY_TOKEN: KEY, PAGERDUTY_DEADLINE: '20s', ...env } })
}

test('interim answers are skipped by commands, whether they send, ask or look', async () => {
  simulator.behave({ behaviour: INTERIM })
  const events = await trigger({ PAGERDUTY_EVENTS_URL: simulator.url })
  assert.equal(events.code, 0, events.stderr)
  assert.equal(simulator.requests.length, 1)
  const relayed = await trigger({ PAGERDUTY_TOKEN: '', PAGERDUTY_RELAY_URL: simulator.url })
  assert.doesNotMatch(relayed.stderr, /connection/)
  const gate = await runWithRest(simulator.url, ['gate'], { PAGERDUTY_API_TOKEN: REST_TOKEN })
  assert.equal(gate.code, 0, gate.stderr)
  const doctor = await runWithRest(simulator.url, ['doctor'], {
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_API_TOKEN: REST_TOKEN,
  })
  assert.match(doctor.stdout, /^ok {3}endpoint: \/v2\/enqueue answers/m)
  const flush = await runProgram(['flush'], {
    env: { PAGERDUTY_RELAY_URL: simulator.url, PAGERDUTY_DEADLINE: '5s' },
  })
  assert.match(flush.stderr, /the relay answers 404/)
})

test('interim answers are skipped by the relay, which passes on the final one', async (t) => {
  simulator.behave({ behaviour: INTERIM })
  const relay = await startRelay({ PAGERDUTY_EVENTS_URL: simulator.url, PAGERDUTY_TOKEN: KEY })
  t.after(() => relay.stop('SIGKILL'))
  const payload = { summary: 's', source: 'h', severity: 'error' }
  const body = { event_action: 'trigger', dedup_key: 'k', payload }
  const answer = await post(`${relay.url}/v2/enqueue`, body)
  assert.deepEqual(
    [answer.status, await answer.json()],
    [202, { status: 'success', message: 'Event processed', dedup_key: 'k' }],
  )
  assert.equal(simulator.requests.length, 1)
})

for (const scheme of ['http', 'https'] as const) {
  test(`interim answers are skipped through a proxy over ${scheme}, its own as well`, async (t) => {
    const server = await startSimulator(scheme === 'https' ? { tls: certificate('other-host') } : {})
    const proxy = await startProxy({ interim: 'HTTP/1.1 100 Continue\r\n\r\n' })
    t.after(() => Promise.all([server.close(), proxy.close()]))
    server.behave({ behaviour: INTERIM })
    const { code, stderr } = await trigger({
      PAGERDUTY_EVENTS_URL: `${scheme}://${PROXIED_HOST}:${server.port}`,
      [`${scheme}_proxy`]: `http://127.0.0.1:${proxy.port}`,
      NODE_EXTRA_CA_CERTS: CA_FILE,
    })
    assert.equal(code, 0, stderr)
    assert.equal(server.requests.length, 1)
  })
}
