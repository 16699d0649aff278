import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, runProgram } from '../../support/program.ts'
import { alertBody, keyFor, post, startRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { temporaryDirectory } from '../../support/spool.ts'

const simulator = await startSimulator()
const ENV = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
after(() => simulator.close())
beforeEach(() => simulator.reset())

/** Less than the 60 s of a delivery attempt; on a machine that is not busy a relay ends within 8 s. */
const LONGEST_END_MS = 45_000

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} ends a relay that nobody calls with 0, and it has sent nothing`, async () => {
    const relay = await startRelay(ENV)
    assert.equal((await relay.stop(signal)).code, 0)
    assert.equal(simulator.requests.length, 0)
  })
}

test('after SIGTERM the event in flight finishes, and new ones are answered 503', async () => {
  const relay = await startRelay(ENV)
  simulator.behave({ behaviour: { kind: 'usual', delayMs: 4000 } })
  const inFlight = post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'in flight' }))
  await simulator.waitForRequests(1)
  const stopped = relay.stop()
  // The signal needs a moment to arrive, and a post before it would be an event in flight, too.
  const readiness = async (): Promise<number> => (await fetch(`${relay.url}/readyz`)).status
  while ((await readiness()) !== 503) await new Promise(setImmediate)
  const refused = await post(`${relay.url}/v2/enqueue`, alertBody())
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5'])
  assert.equal((await inFlight).status, 202)
  assert.equal((await stopped).code, 0)
})

test('a PagerDuty that never answers does not keep it after SIGTERM', async () => {
  const relay = await startRelay({ ...ENV, PAGERDUTY_TIMEOUT: '60s' })
  simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
  const inFlight = post(`${relay.url}/v2/enqueue`, alertBody())
  await simulator.waitForRequests(1)
  const startedAt = performance.now()
  const { code } = await relay.stop()
  assert.equal(code, 0)
  assert.ok(performance.now() - startedAt < LONGEST_END_MS)
  assert.equal((await inFlight).status, 502)
})

test('who waits for the outcome when it ends hears that the event is kept', async (t) => {
  const relay = await startRelay({ ...ENV, PAGERDUTY_SPOOL: temporaryDirectory(t) })
  simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
  const waiting = post(`${relay.url}/v2/enqueue`, alertBody(), { prefer: 'wait=60' })
  await simulator.waitForRequests(1)
  assert.equal((await relay.stop()).code, 0)
  const { status, headers } = await waiting
  assert.deepEqual([status, headers.has('preference-applied')], [202, false])
})

test('a port that is taken is a mistake in the configuration, in one sentence', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  try {
    const port = String((other.address() as AddressInfo).port)
    const { code, stderr } = await runProgram(['serve'], { env: { ...ENV, PAGERDUTY_RELAY_PORT: port } })
    assert.equal(code, 78)
    assert.match(stderr, /cannot listen: another program uses that port; see PAGERDUTY_RELAY_HOST/)
    assert.ok(!stderr.includes('    at '))
  } finally {
    other.close()
  }
})

const MISTAKES: [Record<string, string>, number, RegExp][] = [
  [{ PAGERDUTY_RELAY_PORT: 'http' }, 64, /PAGERDUTY_RELAY_PORT: must be a whole number/],
  [{ PAGERDUTY_TOKEN: 'abc' }, 78, /PAGERDUTY_TOKEN: /],
  [{ PAGERDUTY_RELAY_TOKEN: 'two words' }, 78, /PAGERDUTY_RELAY_TOKEN: must consist of printable ASCII/],
  // A secret that the CI does not have.
  [{ PAGERDUTY_RELAY_TOKEN: '' }, 78, /PAGERDUTY_RELAY_TOKEN: is set but blank/],
  [{ PAGERDUTY_RELAY_TOKEN: ' ' }, 78, /PAGERDUTY_RELAY_TOKEN: is set but blank/],
  [{ PAGERDUTY_RELAY_TOKEN: '""' }, 78, /PAGERDUTY_RELAY_TOKEN: is set but blank/],
  [{ PAGERDUTY_RELAY_TOKEN_FILE: '' }, 78, /PAGERDUTY_RELAY_TOKEN_FILE: is set but blank/],
  [{ PAGERDUTY_RELAY_TOKEN_FILE: '/dev/null' }, 78, /PAGERDUTY_RELAY_TOKEN_FILE: the file .* is empty/],
  [
    { PAGERDUTY_RELAY_TOKEN: '', PAGERDUTY_RELAY_TOKEN_FILE: '/does/not/exist' },
    78,
    /PAGERDUTY_RELAY_TOKEN_FILE: the file that it names cannot be read: there is no such file/,
  ],
  [{ PAGERDUTY_RELAY_NAMES: 'https://relay.example' }, 64, /PAGERDUTY_RELAY_NAMES: must be host names/],
  [{ PAGERDUTY_RELAY_NAMES: 'a.example,,b.example' }, 64, /PAGERDUTY_RELAY_NAMES: must be host names/],
]
for (const [env, status, message] of MISTAKES) {
  test(`${Object.keys(env).join()} with a bad value keeps it from starting with ${status}`, async () => {
    const { code, stderr } = await runProgram(['serve'], { env: { ...ENV, ...env } })
    assert.equal(code, status)
    assert.match(stderr, message)
    assert.equal(stderr.match(message)?.length, 1)
  })
}

test('a token from a file protects it, whatever the blank variable beside it', async (t) => {
  const file = join(temporaryDirectory(t), 'token')
  writeFileSync(file, 'a-token-from-a-file\n')
  const relay = await startRelay({ ...ENV, PAGERDUTY_RELAY_TOKEN: '', PAGERDUTY_RELAY_TOKEN_FILE: file })
  t.after(() => relay.stop())
  assert.equal((await fetch(`${relay.url}/events`)).status, 401)
})

const OPEN_TO_OTHERS = /warning: anyone who can reach that address can send .*set PAGERDUTY_RELAY_TOKEN/
for (const [host, token, isWarned] of [
  ['0.0.0.0', undefined, true],
  ['0.0.0.0', 'open-sesame-please', false],
  ['::', undefined, true],
  ['127.0.0.1', undefined, false],
  ['127.0.0.2', undefined, false],
  ['localhost', undefined, false],
  ['::1', undefined, false],
] as const) {
  const skip = (host === 'localhost' && skipWithout(host)) || (host.includes(':') && skipWithout('ipv6'))
  test(
    `on ${host} ${token === undefined ? 'without' : 'with'} a token it ${isWarned ? 'warns' : 'does not warn'}`,
    { skip },
    async () => {
      const access = token === undefined ? {} : { PAGERDUTY_RELAY_TOKEN: token }
      const relay = await startRelay({ ...ENV, PAGERDUTY_RELAY_HOST: host, ...access })
      const { stderr } = await relay.stop()
      assert.equal(OPEN_TO_OTHERS.test(stderr), isWarned, stderr)
    },
  )
}

test('it does not send to itself if it has its callers’ environment', async () => {
  const relay = await startRelay({ ...ENV, PAGERDUTY_RELAY_URL: 'http://127.0.0.1:9' })
  assert.equal((await fetch(`${relay.url}/failure`, { method: 'POST' })).status, 202)
  await relay.stop()
})

test('without a key it serves only callers that bring one, and says so', async () => {
  const relay = await startRelay({ ...ENV, PAGERDUTY_TOKEN: '' })
  const refused = await post(`${relay.url}/v2/enqueue`, alertBody())
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /this relay has no key of its own/)
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody({ routing_key: keyFor('own') }))).status, 202)
  assert.equal((await fetch(`${relay.url}/failure`, { method: 'POST' })).status, 500)
  assert.match((await relay.stop()).stderr, /warning: no key is set/)
})

test('LOG_FORMAT=json writes one object a line, with an id that the answer has too', async () => {
  const relay = await startRelay({ ...ENV, LOG_FORMAT: 'json' })
  const answer = await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'a\nb' }))
  const { stderr } = await relay.stop()
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const line = lines.find(({ msg }) => msg === 'event answered')
  assert.equal(line?.['request_id'], answer.headers.get('x-request-id'))
  assert.deepEqual([line?.['dedup_key'], line?.['status'], line?.['level']], ['a\nb', 202, 30])
})

test('a line of text stays one line, whatever an event has in it', async () => {
  const relay = await startRelay(ENV)
  await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'a\nforged: line' }))
  const { stderr } = await relay.stop()
  assert.ok(
    stderr
      .trim()
      .split('\n')
      .every((line) => line.startsWith('pagerduty-alert: ')),
  )
})

const ADDRESSES: Readonly<Record<string, [env: Readonly<Record<string, string>>, listens: RegExp]>> = {
  'an IPv6 address in brackets': [{ PAGERDUTY_RELAY_HOST: '[::1]' }, /listening on http:\/\/\[::1\]:\d+/],
  'an IPv6 address without': [{ PAGERDUTY_RELAY_HOST: '::1' }, /listening on http:\/\/\[::1\]:\d+/],
}
for (const [name, [env, listens]] of Object.entries(ADDRESSES)) {
  test(`it listens on ${name}`, { skip: skipWithout('ipv6') }, async (t) => {
    const relay = await startRelay({ ...ENV, ...env })
    t.after(() => relay.stop('SIGKILL'))
    assert.equal((await fetch(`${relay.url}/healthz`)).status, 200)
    assert.match((await relay.stop()).stderr, listens)
  })
}
