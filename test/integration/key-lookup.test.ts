import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import type { RestSeed } from '../../tools/simulator/rest-state.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { KEY, type Run } from '../support/program.ts'
import { accountWith, REST_TOKEN, runWithRest, SHOP } from '../support/rest.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const TOKEN = REST_TOKEN

function account(seed: RestSeed = {}): void {
  simulator.seed(accountWith(seed))
}
async function run(args: string[] = ['failure'], env: Record<string, string> = {}): Promise<Run> {
  return await runWithRest(simulator.url, args, env)
}
/** The requests up to the events; after its alert, `failure` also asks whom it pages. */
function calls(): string[] {
  const all = simulator.requests.map(({ method, path }) => `${method} ${path}`)
  const lastEvent = all.findLastIndex((call) => call.startsWith('POST /v2/'))
  return lastEvent === -1 ? all : all.slice(0, lastEvent + 1)
}

test('with a REST API token and a service the key is looked up and used', async () => {
  account()
  const { code, stderr } = await run()
  assert.equal(code, 0)
  assert.match(stderr, /routing key …cdef looked up: integration PINT/)
  assert.equal(simulator.alerts[0]?.routingKey, KEY)
  const { headers } = simulator.requests[0]!
  assert.equal(headers.authorization, `Token token=${TOKEN}`)
  assert.equal(headers.accept, 'application/vnd.pagerduty+json;version=2')
})

test('an event never carries the REST API token', async () => {
  account()
  await run(['success'])
  const events = simulator.requests.filter(({ path }) => path.startsWith('/v2/'))
  assert.equal(events.length, 2)
  for (const { body, headers } of events) {
    assert.ok(!body.toString().includes(TOKEN))
    assert.equal(headers.authorization, undefined)
  }
})

test('an OAuth token goes by its own scheme', async () => {
  const token = 'pdus+_0XBPWQQ_dfd1'
  account({ tokens: [{ token, kind: 'user' }] })
  assert.equal((await run(['failure'], { PAGERDUTY_TOKEN: token })).code, 0)
  assert.equal(simulator.requests[0]?.headers.authorization, `Bearer ${token}`)
})

test('with a routing key nothing is looked up', async () => {
  account()
  await run(['failure'], { PAGERDUTY_TOKEN: KEY, PAGERDUTY_API_TOKEN: TOKEN })
  assert.deepEqual(calls(), ['POST /v2/enqueue'])
})

test('a dry run looks nothing up', async () => {
  const { code, stdout, stderr } = await run(['failure', '--dry-run'])
  assert.deepEqual([code, calls()], [0, []])
  assert.match(stderr, /the routing key would be looked up/)
  assert.equal((JSON.parse(stdout) as { body: { routing_key?: string } }).body.routing_key, undefined)
})

test('the service may be named, in any case, even if it is on the second page', async () => {
  const others = Array.from({ length: 150 }, (_, index) => ({ id: `P${index}`, name: `Shop ${index}` }))
  account({ services: [...others, SHOP] })
  assert.equal((await run(['failure', '--service', 'sHOP'])).code, 0)
  assert.equal(simulator.alerts[0]?.routingKey, KEY)
})

test('the integration may be chosen, by its id', async () => {
  account({
    services: [{ ...SHOP, integrations: [{ id: 'POTHER', key: 'f'.repeat(32) }, ...SHOP.integrations] }],
  })
  assert.equal((await run(['failure'], { PAGERDUTY_INTEGRATION_ID: 'PINT' })).code, 0)
  assert.deepEqual(calls(), ['GET /services/PSHOP/integrations/PINT', 'POST /v2/enqueue'])
})

test('other kinds of integrations are passed over', async () => {
  const email = { id: 'PMAIL', type: 'generic_email_inbound_integration', key: 'mail@acme.pagerduty.com' }
  account({ services: [{ ...SHOP, integrations: [email, ...SHOP.integrations] }] })
  assert.equal((await run()).code, 0)
  assert.equal(simulator.alerts[0]?.routingKey, KEY)
})

test('if the answer has bare references, each is read on its own', async () => {
  account()
  const service = {
    id: 'PSHOP',
    integrations: [{ id: 'PINT', type: 'events_api_v2_inbound_integration_reference' }, { nonsense: 1 }],
  }
  simulator.behave({
    endpoint: '/services/PSHOP',
    behaviour: { kind: 'answer', status: 200, body: JSON.stringify({ service }) },
  })
  assert.equal((await run()).code, 0)
  assert.equal(simulator.alerts[0]?.routingKey, KEY)
})

const NO_KEY: [string, RestSeed, Record<string, string>, string[], RegExp][] = [
  [
    'no integration',
    { services: [{ id: 'PSHOP', name: 'Shop' }] },
    {},
    [],
    /Shop \(PSHOP\) has no Events API v2 integration: .*add "Events API V2".*--create-integration/,
  ],
  [
    'several integrations',
    {
      services: [
        {
          ...SHOP,
          integrations: [...SHOP.integrations, { id: 'PTWO', name: 'Second', key: 'f'.repeat(32) }],
        },
      ],
    },
    {},
    [],
    /several Events API v2 integrations: Events API V2 \(PINT\), Second \(PTWO\)\. Choose one with PAGERDUTY_INTEGRATION_ID/,
  ],
  [
    'the wrong kind of integration',
    {
      services: [
        { ...SHOP, integrations: [{ id: 'PMAIL', type: 'generic_email_inbound_integration', key: 'm@x' }] },
      ],
    },
    { PAGERDUTY_INTEGRATION_ID: 'PMAIL' },
    [],
    /\(PMAIL\) is not an Events API v2 integration/,
  ],
  [
    'an unknown service',
    {},
    { PAGERDUTY_SERVICE_ID: 'PNONE' },
    [],
    /404: Not Found.*\n.*PAGERDUTY_SERVICE_ID/,
  ],
  ['an unknown name', {}, {}, ['--service', 'Sho'], /no service has this name; there are Shop \(PSHOP\)/],
  [
    'a name that several have',
    { services: [SHOP, { id: 'PTWIN', name: 'SHOP' }] },
    {},
    ['--service', 'Shop'],
    /several services have this name; there are Shop \(PSHOP\), SHOP \(PTWIN\)/,
  ],
  ['an unknown token', { tokens: [] }, {}, [], /401: Authentication failed.*\n.*PAGERDUTY_REGION=eu/],
]
for (const [name, seed, env, args, message] of NO_KEY) {
  test(`${name}: nothing is sent, 78, and the message says what to do`, async () => {
    account(seed)
    const { code, stderr } = await run(['failure', ...args], env)
    assert.equal(code, 78, stderr)
    assert.match(stderr, message)
    assert.deepEqual(simulator.alerts, [])
  })
}

test('--create-integration adds one if there is none, and uses it', async () => {
  account({ services: [{ id: 'PSHOP', name: 'Shop' }] })
  assert.equal((await run(['failure', '--create-integration'])).code, 0)
  const [integration] = simulator.rest.services[0]?.integrations ?? []
  assert.deepEqual(
    [integration?.type, integration?.name],
    ['events_api_v2_inbound_integration', 'pagerduty-alert'],
  )
  assert.equal(simulator.alerts[0]?.routingKey, integration?.key)
  assert.equal((await run(['failure', '--create-integration'])).code, 0)
  assert.equal(simulator.rest.services[0]?.integrations.length, 1)
})

test('a token that may not write is told which right it lacks, and an account token that it needs a name', async () => {
  const services = [{ id: 'PSHOP', name: 'Shop' }]
  account({ services, tokens: [{ token: TOKEN, kind: 'read-only' }] })
  const readOnly = await run(['failure', '--create-integration'])
  assert.equal(readOnly.code, 78)
  assert.match(readOnly.stderr, /403: Access Denied[\s\S]*services\.write/)
  account({ services, tokens: [{ token: TOKEN, kind: 'account' }] })
  const nameless = await run(['failure', '--create-integration'])
  assert.equal(nameless.code, 65)
  assert.match(nameless.stderr, /400: Requester User Not Found[\s\S]*PAGERDUTY_FROM/)
  const named = await run(['failure', '--create-integration'], { PAGERDUTY_FROM: 'jane@example.com' })
  assert.equal(named.code, 0)
})

test('a 400 gives advice on PAGERDUTY_FROM only if that is at fault', async () => {
  const createsAs = async (from: string): Promise<Run> =>
    await run(['failure', '--create-integration'], { PAGERDUTY_FROM: from })
  const services = [{ id: 'PSHOP', name: 'Shop' }]
  const tokens = [{ token: TOKEN, kind: 'account' as const }]
  account({ services, tokens, users: ['jane@example.com'] })
  const stranger = await createsAs('john@example.com')
  assert.equal(stranger.code, 65)
  assert.match(stranger.stderr, /no user of this account has the e-mail address in PAGERDUTY_FROM/)
  const body = JSON.stringify({ error: { message: 'Invalid Input Provided', errors: ['Name is taken.'] } })
  for (const endpoint of ['/services/PSHOP/integrations', '/services/PSHOP'])
    simulator.behave({ endpoint, times: 1, behaviour: { kind: 'answer', status: 400, body } })
  for (const what of ['a read', 'a write']) {
    const { code, stderr } = await createsAs('jane@example.com')
    assert.equal(code, 65, what)
    assert.match(stderr, /400: Invalid Input Provided/)
    assert.doesNotMatch(stderr, /PAGERDUTY_FROM/)
  }
})

test('an integration is not created again if it may have been created', async () => {
  account({ services: [{ id: 'PSHOP', name: 'Shop' }] })
  simulator.behave({ endpoint: '/services/PSHOP/integrations', behaviour: { kind: 'truncate' } })
  const { code } = await run(['failure', '--create-integration'])
  assert.equal(code, 75)
  assert.equal(simulator.rest.services[0]?.integrations.length, 1)
})

const ODD: [string, string, number, RegExp][] = [
  [
    'errors as a text',
    '{"error":{"message":"Invalid","code":2001,"errors":"Nope."}}',
    65,
    /400: Invalid: Nope\./,
  ],
  ['an error that is a text', '{"error":"Just so"}', 65, /400: Just so/],
  ['no body', '', 65, /400: no reason given/],
  ['a page of HTML', '<html><title>Bad</title></html>', 65, /400: Bad/],
]
for (const [name, body, exitCode, message] of ODD) {
  test(`a refusal with ${name} is shown in its own words`, async () => {
    account()
    simulator.behave({ endpoint: '/services/PSHOP', behaviour: { kind: 'answer', status: 400, body } })
    const { code, stderr } = await run()
    assert.equal(code, exitCode)
    assert.match(stderr, message)
  })
}

test('an answer that is not PagerDuty’s gives no key', async () => {
  account()
  simulator.behave({
    endpoint: '/services/PSHOP',
    behaviour: { kind: 'answer', status: 200, body: '<html>Sign in</html>' },
  })
  const { code, stderr } = await run()
  assert.equal(code, 75)
  assert.match(stderr, /did not come from PagerDuty’s REST API; check PAGERDUTY_API_URL/)
})

test('what may pass is asked again: a 500, a reset, a body that is cut off, a 429 that names its time', async () => {
  account()
  const endpoint = '/services/PSHOP'
  const times = 1
  simulator.behave({ endpoint, times, behaviour: { kind: 'answer', status: 500 } })
  simulator.behave({ endpoint, times, behaviour: { kind: 'reset', after: 'body' } })
  simulator.behave({ endpoint, times, behaviour: { kind: 'truncate' } })
  simulator.behave({
    endpoint,
    times,
    behaviour: { kind: 'answer', status: 429, headers: { 'ratelimit-reset': '0' } },
  })
  const { code, stderr } = await run()
  assert.equal(code, 0, stderr)
  assert.equal(calls().filter((call) => call.startsWith('GET')).length, 5)
})

test('after a 429 without any header it gives up if the deadline is too near to wait', async () => {
  account()
  simulator.behave({ endpoint: '/services/PSHOP', behaviour: { kind: 'answer', status: 429 } })
  const { code, stderr } = await run(['failure', '--deadline', '25s'])
  assert.equal(code, 75)
  assert.match(stderr, /cannot read the service: 429: Too Many Requests/)
  assert.equal(calls().length, 1)
})

test('a server that repeats the token does not make us repeat it', async () => {
  account()
  simulator.behave({
    endpoint: '/services/PSHOP',
    behaviour: { kind: 'answer', status: 400, body: `{"error":{"message":"bad ${TOKEN}"}}` },
  })
  const { stderr } = await run(['failure', '--verbose'])
  assert.match(stderr, /bad …opqr/)
})

test('nobody listens: 75 within the deadline', async () => {
  const closed = await startSimulator()
  await closed.close()
  const { code, stderr } = await run(['failure', '--deadline', '1s'], { PAGERDUTY_API_URL: closed.url })
  assert.equal(code, 75)
  assert.match(stderr, /cannot read the service: (?:the connection was refused|no answer within)/)
})

test('run looks the key up after the command has ended', async () => {
  account()
  const { code, stdout } = await run([
    'run',
    '--quiet',
    '--',
    process.execPath,
    '-e',
    'console.log(1); process.exit(3)',
  ])
  assert.deepEqual([code, stdout], [3, '1\n'])
  assert.equal(simulator.alerts[0]?.routingKey, KEY)
})
