import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gather, type Options } from '../../../src/config/sources.ts'
import { loadConfig, type Config } from '../../../src/config/load.ts'
import { Failure } from '../../../src/core/failure.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const REST_TOKEN = 'u+abcdefghijklmnopqr'

function load(env: Record<string, string>, options: Options = {}): Config {
  return loadConfig(gather({ env, options, readFile: () => '' }), { env, build: { origins: {} } }, true)
}

test('a REST API token and a service replace a key, whichever variable has the token', () => {
  for (const variable of ['PAGERDUTY_TOKEN', 'PAGERDUTY_API_TOKEN']) {
    const { rest, delivery } = load({ [variable]: REST_TOKEN, PAGERDUTY_SERVICE_ID: 'PSHOP' })
    assert.deepEqual(
      [rest.token?.reveal(), rest.tokenOrigin, rest.service],
      [REST_TOKEN, variable, { id: 'PSHOP' }],
    )
    assert.deepEqual([delivery.keys, delivery.secrets.map((secret) => secret.reveal())], [[], [REST_TOKEN]])
  }
})

test('the named token wins over the other, and a key beside it is used as it is', () => {
  const { rest, delivery } = load({ PAGERDUTY_TOKEN: KEY, PAGERDUTY_API_TOKEN: REST_TOKEN })
  assert.equal(rest.token?.reveal(), REST_TOKEN)
  assert.deepEqual(
    delivery.keys.map(({ key }) => key.reveal()),
    [KEY],
  )
})

test('--service wins over the id, and the address of a page is as good as its id', () => {
  const env = {
    PAGERDUTY_TOKEN: REST_TOKEN,
    PAGERDUTY_SERVICE_ID: 'https://acme.pagerduty.com/service-directory/PSHOP/',
  }
  assert.deepEqual(load(env).rest.service, { id: 'PSHOP' })
  assert.deepEqual(load(env, { service: ['Shop'] }).rest.service, { name: 'Shop' })
})

test('the region chooses the address of the REST API too', () => {
  const env = { PAGERDUTY_TOKEN: KEY }
  assert.equal(load(env).rest.apiUrl, 'https://api.pagerduty.com')
  assert.equal(load({ ...env, PAGERDUTY_REGION: 'eu' }).rest.apiUrl, 'https://api.eu.pagerduty.com')
  assert.equal(
    load({ ...env, PAGERDUTY_API_URL: 'https://gate.example/api/' }).rest.apiUrl,
    'https://gate.example/api',
  )
})

test('a token that would travel in the clear causes a warning', () => {
  const env = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_API_URL: 'http://gate.example' }
  assert.deepEqual(load(env).warnings, [])
  assert.match(
    load({ ...env, PAGERDUTY_API_TOKEN: REST_TOKEN }).warnings.join(),
    /^PAGERDUTY_API_URL is plain http/,
  )
})

const REFUSED: [Record<string, string>, Options, RegExp][] = [
  [{ PAGERDUTY_SERVICE_ID: 'the shop' }, {}, /^PAGERDUTY_SERVICE_ID: must be an id/],
  [{ PAGERDUTY_INTEGRATION_ID: '../x' }, {}, /^PAGERDUTY_INTEGRATION_ID: must be an id/],
  [{ PAGERDUTY_FROM: 'jane' }, {}, /^PAGERDUTY_FROM: must be the e-mail address/],
  [{ PAGERDUTY_FROM: 'j@x\nX-Y: z' }, {}, /^PAGERDUTY_FROM: /],
  [{ PAGERDUTY_ROLLBACK: 'maybe' }, {}, /^PAGERDUTY_ROLLBACK: must be one of/],
  [{}, { urgency: ['P1'] }, /^--urgency: must be one of high, low/],
  [{}, { wait: ['soon'] }, /^--wait: must be a duration/],
  [{}, { maintenance: ['0'] }, /^--maintenance: must be a whole number from 1 to 1440/],
  [{}, { maintenance: ['1441'] }, /^--maintenance: must be a whole number/],
]
for (const [env, options, message] of REFUSED) {
  test(`refused: ${message.source}`, () => {
    const load1 = (): Config => load({ PAGERDUTY_TOKEN: KEY, ...env }, options)
    assert.throws(load1, (error) => error instanceof Failure && message.test(error.message))
  })
}

test('the settings of the gate are read', () => {
  const options = { urgency: ['HIGH'], 'allow-rollback': true, wait: ['10m'], 'on-call': true } as const
  const { gate } = load({ PAGERDUTY_TOKEN: KEY, PAGERDUTY_ROLLBACK: 'No' }, options)
  assert.deepEqual(gate, {
    urgency: 'high',
    allowRollback: true,
    isRollback: false,
    needsOnCall: true,
    waitMs: 600_000,
  })
})
