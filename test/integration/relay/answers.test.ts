import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import manifest from '../../../package.json' with { type: 'json' }
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { until } from '../../support/until.ts'

const simulator = await startSimulator()
const ENV = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
const relay = await startRelay(ENV)
after(async () => {
  await relay.stop()
  await simulator.close()
})
beforeEach(() => simulator.reset())

test('the relay’s address says what it is and where its API is described', async () => {
  const answer = await fetch(relay.url)
  const about = (await answer.json()) as Record<string, string>
  assert.equal(answer.status, 200)
  assert.deepEqual([about['service'], about['version']], ['pagerduty-alert relay', manifest.version])
  assert.equal((await fetch(relay.url + about['api'])).status, 200)
  assert.equal((await fetch(relay.url + about['readiness'])).status, 200)
})

const ROUTES: readonly (readonly [string, string, unknown])[] = [
  ['GET', '/', undefined],
  ['GET', '/healthz', undefined],
  ['GET', '/readyz', undefined],
  ['GET', '/openapi.json', undefined],
  ['GET', '/metrics', undefined],
  ['GET', '/nope', undefined],
  ['GET', '/success', undefined],
  ['POST', '/success', {}],
  ['POST', '/failure', { severity: 'high' }],
  ['POST', '/v2/enqueue', alertBody()],
  ['POST', '/v2/enqueue', '{'],
  ['POST', '/v2/change/enqueue', {}],
]
for (const [method, path, body] of ROUTES)
  test(`the answer to ${method} ${path} ${JSON.stringify(body) ?? ''} ends with a newline`, async () => {
    const answer = method === 'GET' ? await fetch(relay.url + path) : await post(relay.url + path, body)
    assert.match(await answer.text(), /\}\n$|^[^{][^]*\n$/)
  })

test('PagerDuty’s refusal stays as it is', async () => {
  simulator.behave({ times: 1, behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' } })
  assert.equal(await (await post(`${relay.url}/v2/enqueue`, alertBody())).text(), 'Invalid routing key')
})

const REFUSED: readonly (readonly [string, string, unknown, RegExp])[] = [
  [
    'an outcome',
    '/failure',
    { severity: 'high' },
    /POST \/failure 400 \(.*reason=.*severity: must be one of critical/,
  ],
  ['an event', '/v2/enqueue', { event_action: 'trigger' }, /POST \/v2\/enqueue 400 \(.*reason=.*payload/],
  ['no JSON', '/v2/enqueue', '{', /POST \/v2\/enqueue 400 \(.*reason=JSON parse error\)/],
  ['a list', '/success', '[]', /POST \/success 400 \(.*reason=the body is not a JSON object\)/],
  ['an unknown route', '/nope', {}, /POST unknown 404 \(.*reason=no such route; see \/openapi\.json\)/],
  [
    'a key of the wrong length',
    '/v2/change/enqueue',
    { routing_key: 'short', payload: { summary: 's', source: 's' } },
    /POST \/v2\/change\/enqueue 400 \(.*reason=Length of 'routing_key' is incorrect/,
  ],
]
for (const [what, path, body, logged] of REFUSED)
  test(`the log says why ${what} was refused, as its caller was told`, async () => {
    const answer = await post(relay.url + path, body)
    assert.ok(answer.status >= 400)
    await until(() => logged.test(relay.log()), relay.log())
  })

test('the log has PagerDuty’s own words when that refuses an event, and no key in them', async () => {
  simulator.behave({
    times: 1,
    behaviour: { kind: 'answer', status: 400, body: JSON.stringify({ message: `unwelcome key ${KEY}` }) },
  })
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 400)
  await until(
    () => /event answered \(.*status=400 reason=.*unwelcome key …cdef/.test(relay.log()),
    relay.log(),
  )
  assert.ok(!relay.log().includes(KEY))
})
