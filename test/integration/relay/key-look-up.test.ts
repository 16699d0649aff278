import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, test, type TestContext } from 'node:test'
import type { RestSeed } from '../../../tools/simulator/rest-state.ts'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, runProgram, startProgram } from '../../support/program.ts'
import { alertBody, post, startRelay, type RunningRelay } from '../../support/relay.ts'
import { accountWith, REST_TOKEN, SHOP } from '../../support/rest.ts'
import { until } from '../../support/until.ts'
import { openTestSpool, temporaryDirectory } from '../../support/spool.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const ENV = {
  ...CODESHIP_PRO,
  PAGERDUTY_TOKEN: REST_TOKEN,
  PAGERDUTY_SERVICE_ID: 'PSHOP',
  PAGERDUTY_EVENTS_URL: simulator.url,
  PAGERDUTY_API_URL: simulator.url,
}
const DOWN = { endpoint: '/services/PSHOP', behaviour: { kind: 'answer', status: 503 } } as const
const OTHER = 'f'.repeat(32)

/** A relay that holds nothing but the token; at its end neither that nor the key was shown. */
async function startWithToken(t: TestContext, env: Record<string, string> = {}): Promise<RunningRelay> {
  const relay = await startRelay({ ...ENV, ...env })
  t.after(async () => {
    const { stdout, stderr } = await relay.stop()
    for (const secret of [REST_TOKEN, KEY]) assert.ok(!`${stdout}${stderr}`.includes(secret))
  })
  return relay
}
const lookUps = (): number => simulator.requests.filter(({ method }) => method === 'GET').length

test('with a REST API token and a service the relay looks its key up, once', async (t) => {
  simulator.seed(accountWith())
  const relay = await startWithToken(t)
  await until(() => /routing key …cdef looked up: integration PINT/.test(relay.log()), 'it is looked up')
  const answers = await Promise.all([
    post(`${relay.url}/v2/enqueue`, alertBody()),
    post(`${relay.url}/failure`, {}),
    post(`${relay.url}/success`, {}),
  ])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [202, 202, 202],
  )
  assert.deepEqual(new Set(simulator.alerts.map(({ routingKey }) => routingKey)), new Set([KEY]))
  assert.equal(lookUps(), 1)
})

test('a caller whose event needs the key is told why it is not found, and is served when it is', async (t) => {
  simulator.seed(accountWith())
  simulator.behave(DOWN)
  const relay = await startWithToken(t)
  const answer = await post(`${relay.url}/failure`, {})
  assert.equal(answer.status, 502)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json\b/)
  assert.match(await answer.text(), /cannot read the service.*503/)
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody({ routing_key: OTHER }))).status, 202)
  assert.equal((await fetch(`${relay.url}/readyz`)).status, 200)
  simulator.reset()
  simulator.seed(accountWith())
  await until(async () => (await post(`${relay.url}/failure`, {})).status === 202, 'the key is found')
})

test('a text with the key that arrived before the key was found is listed without it', async (t) => {
  simulator.seed(accountWith())
  simulator.behave(DOWN)
  // Its log may have the key: it was written before the key was known.
  const relay = await startRelay({
    ...ENV,
    PAGERDUTY_SPOOL: temporaryDirectory(t),
    PAGERDUTY_ENVIRONMENT: 'test',
  })
  t.after(() => relay.stop())
  const payload = { summary: `the key is ${KEY}`, source: 'x', severity: 'error' }
  const own = { routing_key: OTHER, event_action: 'trigger', dedup_key: `of-${KEY}`, payload }
  await post(`${relay.url}/v2/enqueue`, own)
  await post(`${relay.url}/success`, { details: { commit_message: `Use ${KEY}`, build_id: '1' } })
  simulator.reset()
  simulator.seed(accountWith())
  await until(() => /looked up/.test(relay.log()), 'the key is found')
  await post(`${relay.url}/success`, { details: { commit_message: `Still ${KEY}`, build_id: '2' } })
  const html = { accept: 'text/html' }
  for (const path of ['/events?order=newest', '/events?status=delivered', '/deployments', '/']) {
    const text = await (await fetch(relay.url + path, { headers: path === '/' ? html : {} })).text()
    assert.ok(text.includes('…cdef') && !text.includes(KEY), path)
  }
})

const MISTAKES: Readonly<Record<string, [RestSeed, RegExp]>> = {
  'no integration': [{ services: [{ ...SHOP, integrations: [] }] }, /has no Events API v2 integration/],
  'several integrations': [
    { services: [{ ...SHOP, integrations: [...SHOP.integrations, { id: 'POTHER', key: OTHER }] }] },
    /has several Events API v2 integrations: .*PINT.*POTHER/,
  ],
  'no such service': [{ services: [] }, /check PAGERDUTY_SERVICE_ID/],
}
for (const [mistake, [seed, words]] of Object.entries(MISTAKES)) {
  test(`${mistake}: the log says so at once, and so does the answer`, async (t) => {
    simulator.seed(accountWith(seed))
    const relay = await startWithToken(t)
    await until(() => words.test(relay.log()), 'the log says it')
    const answer = await post(`${relay.url}/failure`, {})
    assert.equal(answer.status, 502)
    assert.match(await answer.text(), words)
  })
}

test('without a service the relay says what it needs, and serves callers that bring a key', async (t) => {
  const relay = await startWithToken(t, { PAGERDUTY_SERVICE_ID: '' })
  await until(() => relay.log().includes('Until then only callers that bring a routing_key'), 'it says so')
  await until(() => relay.log().includes('this is a REST API token'), 'it says what it has')
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 400)
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody({ routing_key: OTHER }))).status, 202)
})

test('a relay with a spool keeps what it cannot address yet, and delivers it when the key is found', async (t) => {
  simulator.seed(accountWith())
  simulator.behave(DOWN)
  const relay = await startWithToken(t, { PAGERDUTY_SPOOL: temporaryDirectory(t) })
  assert.equal((await post(`${relay.url}/failure`, {})).status, 202)
  const listed = async (): Promise<string> => await (await fetch(`${relay.url}/events?status=pending`)).text()
  await until(async () => (await listed()).includes('cannot read the service'), 'it is tried')
  assert.equal(simulator.alerts.length, 0)
  simulator.reset()
  simulator.seed(accountWith())
  await until(() => simulator.alerts.length === 1, 'it is delivered')
  assert.equal(simulator.alerts[0]?.routingKey, KEY)
})

test('flush looks the key up that the spool’s events need', async (t) => {
  simulator.seed(accountWith())
  const { spool, directory } = await openTestSpool(t)
  const key = { kind: 'configured', name: 'default' } as const
  const body = { payload: { summary: 'Deployed', source: 'ci' } }
  await spool.add([
    { event: { kind: 'change', body }, key },
    { event: { kind: 'change', body }, key },
  ])
  const { code, stderr } = await runProgram(['flush'], { env: { ...ENV, PAGERDUTY_SPOOL: directory } })
  assert.equal(code, 0, stderr)
  assert.deepEqual([simulator.changes.length, lookUps()], [2, 1])
})

test('a spool keeps the events of a command that cannot look the key up, under no key of its own', async (t) => {
  const directory = join(temporaryDirectory(t), 'spool')
  const env = { ...ENV, PAGERDUTY_SPOOL: directory, PAGERDUTY_DEADLINE: '3s' }
  simulator.seed(accountWith())
  simulator.behave(DOWN)
  const { code, stderr } = await runProgram(['failure'], { env })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /the events are kept in the spool until the key is found/)
  assert.match(stderr, /kept in the spool \(/)
  const { spool } = await openTestSpool(t, { directory })
  assert.deepEqual(spool.list('pending', 10)[0]?.key, { kind: 'configured', name: 'default' })
  simulator.reset()
  simulator.seed(accountWith())
  const flushed = await runProgram(['flush', '--deadline', '60s'], { env })
  assert.equal(flushed.code, 0, flushed.stderr)
  assert.equal(simulator.alerts[0]?.routingKey, KEY)
})

test('an event that the found key could not deliver is kept as the deliverer’s own, too', async (t) => {
  const directory = temporaryDirectory(t)
  simulator.seed(accountWith())
  simulator.behave({ endpoint: '/v2/enqueue', behaviour: { kind: 'answer', status: 503 } })
  const env = { ...ENV, PAGERDUTY_SPOOL: directory, PAGERDUTY_DEADLINE: '10s' }
  assert.equal((await runProgram(['failure'], { env })).code, 0)
  const { spool } = await openTestSpool(t, { directory })
  assert.deepEqual(spool.list('pending', 10)[0]?.key, { kind: 'configured', name: 'default' })
})

test('a mistake that the look-up finds ends a command at once, and keeps nothing', async (t) => {
  const directory = join(temporaryDirectory(t), 'spool')
  simulator.seed(accountWith({ services: [] }))
  const { code } = await runProgram(['failure'], { env: { ...ENV, PAGERDUTY_SPOOL: directory } })
  assert.deepEqual([code, existsSync(directory)], [78, false])
})

test('an event that brings its key is sent at once, however the lookup ends', async (t) => {
  const directory = join(temporaryDirectory(t), 'spool')
  simulator.behave(DOWN)
  const payload = { summary: 'Stuck', source: 'ci', severity: 'error' }
  const stdin = JSON.stringify({ routing_key: OTHER, event_action: 'trigger', payload })
  const { code } = await runProgram(['send'], { env: { ...ENV, PAGERDUTY_SPOOL: directory }, stdin })
  assert.deepEqual([code, existsSync(directory), lookUps()], [0, false, 0])
  assert.equal(simulator.alerts[0]?.routingKey, OTHER)
})

test('a signal while a look-up hangs ends a command at once, and its event is kept', async (t) => {
  const directory = temporaryDirectory(t)
  simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
  const env = { ...ENV, PAGERDUTY_TIMEOUT: '60s', PAGERDUTY_SPOOL: directory }
  const { child, ended } = startProgram(['failure'], { env })
  await simulator.waitForRequests(1)
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  assert.equal(code, 143)
  assert.match(stderr, /cannot read the service: interrupted; the events are kept in the spool/)
  const { spool } = await openTestSpool(t, { directory })
  assert.equal(spool.list('pending', 10).length, 1)
})

/** Less than the 60 s of an attempt; on a machine that is not busy a relay ends within 8 s. */
const LONGEST_END_MS = 45_000

for (const isKept of [false, true]) {
  const what = isKept ? 'with' : 'without'
  test(`a look-up that hangs does not keep a relay ${what} a spool after SIGTERM`, async (t) => {
    simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
    const spool = isKept ? { PAGERDUTY_SPOOL: temporaryDirectory(t) } : {}
    const relay = await startRelay({ ...ENV, PAGERDUTY_TIMEOUT: '60s', ...spool })
    const posted = post(`${relay.url}/failure`, {})
    if (isKept) assert.equal((await posted).status, 202)
    const metrics = async (): Promise<string> => await (await fetch(`${relay.url}/metrics`)).text()
    await until(async () => /events_accepted_total\{kind="alert"\} 1/.test(await metrics()), 'it is taken in')
    await simulator.waitForRequests(1)
    const startedAtMs = performance.now()
    assert.equal((await relay.stop()).code, 0)
    assert.ok(performance.now() - startedAtMs < LONGEST_END_MS)
    if (!isKept) assert.equal((await posted).status, 502)
  })
}
