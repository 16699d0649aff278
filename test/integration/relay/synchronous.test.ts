import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { after, beforeEach, test } from 'node:test'
import { promisify } from 'node:util'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { until } from '../../support/until.ts'
import { CODESHIP_PRO, KEY, runProgram } from '../../support/program.ts'
import { alertBody, keyFor, post, startRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'

const run = promisify(execFile)
const simulator = await startSimulator()
const ENV = {
  ...CODESHIP_PRO,
  PAGERDUTY_TOKEN: KEY,
  PAGERDUTY_EVENTS_URL: simulator.url,
  PAGERDUTY_TIMEOUT: '5s',
}
const relay = await startRelay(ENV)
after(async () => {
  await relay.stop()
  await simulator.close()
})
beforeEach(() => simulator.reset())

const ALERTS = `${relay.url}/v2/enqueue`
const CHANGES = `${relay.url}/v2/change/enqueue`
const lastBody = (): Record<string, unknown> => simulator.requests.at(-1)?.json as Record<string, unknown>

for (const given of [undefined, '', 'relay']) {
  test(`an event with routing_key ${JSON.stringify(given)} goes out with the relay's own`, async () => {
    const answer = await post(
      ALERTS,
      alertBody({ dedup_key: 'disk', ...(given !== undefined && { routing_key: given }) }),
    )
    assert.equal(answer.status, 202)
    assert.deepEqual(await answer.json(), {
      status: 'success',
      message: 'Event processed',
      dedup_key: 'disk',
    })
    assert.equal(lastBody()['routing_key'], KEY)
  })
}

test("a caller's own key is kept", async () => {
  assert.equal((await post(ALERTS, alertBody({ routing_key: keyFor('mine') }))).status, 202)
  assert.equal(lastBody()['routing_key'], keyFor('mine'))
})

test('a trigger without a dedup key gets one, which is answered', async () => {
  const answer = (await (await post(ALERTS, alertBody())).json()) as { dedup_key: string }
  assert.equal(answer.dedup_key, lastBody()['dedup_key'])
  assert.match(answer.dedup_key, /^[\w-]{20,}$/)
})

test('a change event is answered as PagerDuty answers it', async () => {
  const answer = await post(CHANGES, { payload: { summary: 'Deployed', source: 'ci' } })
  assert.deepEqual(await answer.json(), { status: 'success', message: 'Change event processed' })
  assert.equal(simulator.changes.length, 1)
})

test('what is too long is cut, not refused', async () => {
  const payload = { summary: 'x'.repeat(2000), source: 'a', severity: 'ERROR' }
  assert.equal((await post(ALERTS, alertBody({ payload }))).status, 202)
  const sent = lastBody()['payload'] as { summary: string; custom_details: { summary: string } }
  assert.deepEqual([sent.summary.length, sent.custom_details.summary.length], [1024, 2000])
})

test('no reference in an event is replaced: the relay’s environment is not its callers’', async () => {
  await post(ALERTS, alertBody({ dedup_key: '${PAGERDUTY_TOKEN}' }))
  assert.equal(lastBody()['dedup_key'], '${PAGERDUTY_TOKEN}')
})

const INVALID: [string, string, unknown, RegExp][] = [
  ['no JSON', ALERTS, '{', /JSON parse error/],
  ['a list', ALERTS, '[]', /JSON parse error/],
  ['no action', ALERTS, { payload: {} }, /event_action: must be one of trigger/],
  [
    'no source',
    ALERTS,
    alertBody({ payload: { summary: 'a', severity: 'info' } }),
    /payload.source: is missing/,
  ],
  ['a short key', ALERTS, alertBody({ routing_key: 'abc' }), /Length of 'routing_key' is incorrect/],
  ['a key of other letters', ALERTS, alertBody({ routing_key: '-'.repeat(32) }), /non-alphanumeric/],
  [
    'an orchestration key',
    CHANGES,
    { routing_key: `R${'0'.repeat(31)}`, payload: { summary: 'a' } },
    /Orchestration/,
  ],
  ['version 1', ALERTS, { service_key: KEY, event_type: 'trigger' }, /Events API v1/],
]
for (const [what, url, body, reason] of INVALID) {
  test(`${what} is answered 400 in PagerDuty's form, and nothing is sent`, async () => {
    const answer = await post(url, body)
    const { status, message, errors } = (await answer.json()) as Record<string, unknown>
    assert.equal(answer.status, 400)
    assert.ok(typeof status === 'string' && typeof message === 'string')
    assert.match(String(errors), reason)
    assert.equal(simulator.requests.length, 0)
  })
}

test("PagerDuty's refusal, throttling and faults are the caller's, with their bodies and Retry-After", async () => {
  for (const status of [400, 429, 500, 503]) {
    const body = JSON.stringify({ status: 'no', errors: [`because ${status}`] })
    const headers = { 'content-type': 'application/json', 'retry-after': '7' }
    simulator.behave({ times: 1, behaviour: { kind: 'answer', status, headers, body } })
    const answer = await post(ALERTS, alertBody())
    assert.deepEqual(
      [answer.status, answer.headers.get('retry-after'), await answer.text()],
      [status, '7', body],
    )
  }
})

test('a status that is none of HTTP is a 502 to the caller, and an absurd Retry-After is bounded', async (t) => {
  const server = createServer((_, response) => response.writeHead(600).end('odd')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const own = await startRelay({ PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: `http://127.0.0.1:${port}` })
  t.after(() => {
    own.program.child.kill('SIGKILL')
    server.close()
  })
  const odd = await post(`${own.url}/v2/enqueue`, alertBody())
  assert.equal(odd.status, 502)
  assert.match(await odd.text(), /600: odd/)
  for (const [told, passedOn] of [
    ['9'.repeat(21), '300'],
    ['Fri, 31 Dec 9999 23:59:59 GMT', '300'],
    ['soon', null],
  ] as const) {
    const headers = { 'retry-after': told }
    simulator.behave({ times: 1, behaviour: { kind: 'answer', status: 503, headers } })
    assert.equal((await post(ALERTS, alertBody())).headers.get('retry-after'), passedOn, told)
  }
})

test('an answer that repeats what was sent does not hand the key to the caller', async () => {
  simulator.behave({ times: 1, behaviour: { kind: 'echo', status: 400 } })
  const answer = await post(ALERTS, alertBody())
  assert.equal(answer.status, 400)
  assert.ok(!(await answer.text()).includes(KEY))
})

test('a redirect is not handed on, since a caller might follow it', async () => {
  simulator.behave({
    times: 1,
    behaviour: { kind: 'answer', status: 302, headers: { location: 'http://x.example/' } },
  })
  const answer = await fetch(ALERTS, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alertBody()),
  })
  assert.deepEqual([answer.status, answer.headers.get('location')], [502, null])
})

test('a PagerDuty that breaks the connection is 502, one that never answers 504', async () => {
  const problem = async (status: number): Promise<void> => {
    const answer = await post(ALERTS, alertBody())
    assert.equal(answer.status, status)
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
    assert.equal(((await answer.json()) as { status: number }).status, status)
  }
  simulator.behave({ behaviour: { kind: 'reset', after: 'body' } })
  await problem(502)
  simulator.reset()
  simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
  await problem(504)
})

test('an accepted answer that is cut off is still a success', async () => {
  simulator.behave({ times: 1, behaviour: { kind: 'truncate' } })
  const answer = await post(ALERTS, alertBody({ dedup_key: 'cut' }))
  assert.deepEqual([answer.status, ((await answer.json()) as { dedup_key: string }).dedup_key], [202, 'cut'])
})

test(
  'curl without a body reports a failure, and then a success: one alert, opened and resolved',
  { skip: skipWithout('curl') },
  async () => {
    await run('curl', ['-fsS', '-X', 'POST', `${relay.url}/failure`])
    assert.deepEqual(
      simulator.alerts.map(({ status, dedupKey }) => [status, dedupKey]),
      [['triggered', 'deploy/acme/shop/master']],
    )
    await run('curl', ['-fsS', '-X', 'POST', `${relay.url}/success`])
    assert.equal(simulator.alerts[0]?.status, 'resolved')
    assert.match(String(simulator.changes[0]?.payload.summary), /acme\/shop@5f0c1d2/)
  },
)

test(
  'it hands out pagerduty.sh as the repository has it, which then reports through it',
  { skip: skipWithout('curl') },
  async () => {
    const { stdout: script } = await run('curl', ['-fsS', `${relay.url}/pagerduty.sh`])
    assert.equal(script, await readFile(new URL('../../../pagerduty.sh', import.meta.url), 'utf8'))
    const env = { PATH: process.env['PATH'], PAGERDUTY_RELAY_URL: relay.url }
    await run('sh', ['-c', script, 'pagerduty.sh', 'failure'], { env })
    assert.equal(simulator.alerts[0]?.dedupKey, 'deploy/acme/shop/master')
  },
)

const FIELDS = {
  summary: 'It broke on {{branch}}',
  severity: 'CRITICAL',
  environment: 'production',
  exit_code: '3',
  output: `one\nAuthorization: Bearer abc\n${KEY}`,
  details: '{"team":"web"}',
  links: 'https://ci.example/1|Job',
  rollback: 'yes',
}
const AS_JSON = {
  ...FIELDS,
  exit_code: 3,
  details: { team: 'web' },
  links: [{ href: 'https://ci.example/1', text: 'Job' }],
  rollback: true,
}
for (const [form, body, type] of [
  ['a form', new URLSearchParams(FIELDS).toString(), 'application/x-www-form-urlencoded'],
  ['JSON', JSON.stringify(AS_JSON), 'application/json'],
] as const) {
  test(`/failure takes ${form}`, async () => {
    const answer = await post(`${relay.url}/failure`, body, { 'content-type': type })
    assert.equal(answer.status, 202)
    const { dedup_key: dedupKey, payload, links } = lastBody() as Record<string, Record<string, unknown>>
    const { output, ...details } = payload!['custom_details'] as Record<string, unknown>
    assert.equal(dedupKey, 'deploy/acme/shop/production')
    assert.deepEqual([payload?.['summary'], payload?.['severity']], ['It broke on master', 'critical'])
    assert.deepEqual([payload?.['class'], details['rollback']], ['rollback', true])
    assert.deepEqual(
      [details['exit_code'], details['team'], details['environment']],
      [3, 'web', 'production'],
    )
    assert.ok(
      String(output).startsWith('one\n') && !String(output).includes(KEY) && !String(output).includes('abc'),
    )
    assert.deepEqual((links as unknown as unknown[]).at(-1), { href: 'https://ci.example/1', text: 'Job' })
  })
}

const BAD_OUTCOMES: [string, RegExp][] = [
  ['severity=bad', /severity: must be one of critical/],
  ['environment=a&environment=b', /environment: must be a string, not an array/],
  ['summary={{nope}}', /summary: has the unknown name/],
]
for (const [form, reason] of BAD_OUTCOMES) {
  test(`/failure answers ${form} with 400 and the reason`, async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await post(`${relay.url}/failure`, form, headers)
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), reason)
    assert.equal(simulator.requests.length, 0)
  })
}

test('/failure pages whatever else its body holds, and the log says what was left out', async () => {
  const form =
    'colour=red&size=5&rollback=perhaps&exit_code=256&links=ftp://x&links=https://a.example|A&details=x&output=boom'
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  assert.equal((await post(`${relay.url}/failure`, form, headers)).status, 202)
  const { payload, links } = lastBody() as { payload: { custom_details: object }; links: unknown[] }
  const { output, details, exit_code: exitCode } = payload.custom_details as Record<string, unknown>
  assert.deepEqual([output, details, exitCode], ['boom', 'x', undefined])
  assert.deepEqual(links.at(-1), { href: 'https://a.example', text: 'A' })
  const notes =
    /2 unknown members are left out; .*rollback must be true or false.*exit_code must be a whole number.*1 of 2 links dropped/
  await until(() => notes.test(relay.log()), 'the log says what was left out')
})

const REFUSED: [string, string, RequestInit, number][] = [
  [
    'another content type',
    '/v2/enqueue',
    { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } },
    415,
  ],
  ['a form instead of JSON', '/v2/enqueue', { method: 'POST', body: new URLSearchParams('a=b') }, 415],
  [
    'too large a body',
    '/failure',
    { method: 'POST', body: 'x'.repeat(512_001), headers: { 'content-type': 'application/json' } },
    413,
  ],
  [
    'an unknown route',
    '/nope',
    { method: 'POST', body: '<a/>', headers: { 'content-type': 'text/xml' } },
    404,
  ],
  ['another method', '/v2/enqueue', { method: 'PUT', body: '{}' }, 405],
  ['another method', '/healthz', { method: 'POST' }, 405],
]
for (const [what, path, init, status] of REFUSED) {
  test(`${what} on ${path} is answered ${status}`, async () => {
    const answer = await fetch(relay.url + path, init)
    assert.equal(answer.status, status)
    assert.match(answer.headers.get('content-type') ?? '', /problem\+json/)
    if (status === 405)
      assert.match(answer.headers.get('allow') ?? '', path === '/healthz' ? /GET/ : /^POST$/)
  })
}

test('a body of exactly the limit is taken', async () => {
  const frame = JSON.stringify(alertBody({ pad: '' }))
  const body = JSON.stringify(alertBody({ pad: 'x'.repeat(512_000 - frame.length) }))
  assert.equal(Buffer.byteLength(body), 512_000)
  assert.equal((await post(ALERTS, body)).status, 202)
})

test('the connection to PagerDuty is kept between events', async () => {
  for (let count = 0; count < 3; count++) await post(ALERTS, alertBody())
  const ports = new Set(simulator.requests.map(({ remotePort }) => remotePort))
  assert.equal(ports.size, 1)
})

test('health, readiness, metrics and the description are there', async () => {
  assert.equal((await fetch(`${relay.url}/healthz`)).status, 200)
  assert.equal((await fetch(`${relay.url}/readyz`)).status, 200)
  const metrics = await (await fetch(`${relay.url}/metrics`)).text()
  assert.match(metrics, /^pagerduty_alert_events_delivered_total\{kind="alert"\} [1-9]/m)
  assert.match(metrics, /^pagerduty_alert_delivery_duration_seconds_count\{kind="alert"\} [1-9]/m)
  const description = (await (await fetch(`${relay.url}/openapi.json`)).json()) as {
    openapi: string
    paths: object
  }
  assert.equal(description.openapi, '3.1.0')
  assert.ok('/v2/enqueue' in description.paths)
})

test('the program itself sends through the relay without knowing the key', async () => {
  const { code } = await runProgram(['failure'], { env: { ...CODESHIP_PRO, PAGERDUTY_RELAY_URL: relay.url } })
  assert.equal(code, 0)
  assert.equal(lastBody()['routing_key'], KEY)
})

test('with several keys each gets every event, and a refusal is reported', async () => {
  const keys = `a=${keyFor('a')},b=${keyFor('b')}`
  const several = await startRelay({ ...ENV, PAGERDUTY_TOKEN: '', PAGERDUTY_ROUTING_KEY: keys })
  try {
    assert.equal((await post(`${several.url}/v2/enqueue`, alertBody())).status, 202)
    assert.equal(simulator.requests.length, 2)
    simulator.behave({ times: 1, behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' } })
    const answer = await post(`${several.url}/failure`, {})
    assert.deepEqual([answer.status, await answer.text()], [400, 'Invalid routing key'])
    assert.equal(simulator.requests.length, 4)
  } finally {
    await several.stop()
  }
})

test('with a token every route but the health ones asks for it', async () => {
  const guarded = await startRelay({ ...ENV, PAGERDUTY_RELAY_TOKEN: 'open-sesame-please' })
  try {
    for (const path of ['/v2/enqueue', '/failure', '/metrics', '/openapi.json', '/pagerduty.sh', '/nope']) {
      const init = { method: /^\/[mop]/.test(path) ? 'GET' : 'POST' }
      for (const authorization of [
        '',
        'Bearer wrong',
        'Basic open-sesame-please',
        'Bearer open-sesame-pleas',
      ]) {
        const answer = await fetch(guarded.url + path, { ...init, headers: { authorization } })
        assert.deepEqual(
          [answer.status, answer.headers.get('www-authenticate')?.split(' ')[0]],
          [401, 'Bearer'],
          path,
        )
      }
    }
    for (const path of ['/healthz', '/readyz']) assert.equal((await fetch(guarded.url + path)).status, 200)
    const headers = { authorization: 'bearer open-sesame-please' }
    assert.equal((await fetch(`${guarded.url}/failure`, { method: 'POST', headers })).status, 202)
    assert.ok(!guarded.log().includes('sesame'))
  } finally {
    await guarded.stop()
  }
})

test('no request can make it log a secret', async () => {
  const own = keyFor('a caller’s')
  await post(`${ALERTS}?routing_key=${KEY}`, alertBody({ dedup_key: `it is ${KEY}` }))
  await post(ALERTS, alertBody({ routing_key: own, dedup_key: own, links: [own] }))
  await post(`${relay.url}/${KEY}/${own}`, own, { authorization: `Bearer ${own}`, 'x-request-id': own })
  await post(`${relay.url}/failure`, { [own]: 1 })
  simulator.behave({ times: 1, behaviour: { kind: 'echo', status: 400 } })
  await post(ALERTS, alertBody({ routing_key: own }))
  // It logs in order, so that all the others are there by then.
  await post(ALERTS, alertBody({ dedup_key: 'last of the secrets' }))
  await until(() => relay.log().includes('last of the secrets'), 'all of them are logged')
  for (const secret of [KEY, own]) assert.ok(!relay.log().includes(secret))
})

test('a connection that sends its headers too slowly is closed, and others are served at the same time', async () => {
  const { port } = new URL(relay.url)
  const slow = Array.from({ length: 50 }, () => connect(Number(port), '127.0.0.1'))
  const closed = Promise.all(
    slow.map((socket) => new Promise((resolve) => socket.on('error', resolve).on('close', resolve))),
  )
  for (const socket of slow) socket.resume().write('POST /v2/enqueue HTTP/1.1\r\nhost: relay\r\n')
  assert.equal((await post(ALERTS, alertBody())).status, 202)
  await closed
})
