import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { LOCALHOST_TLS } from '../../tools/simulator/localhost-tls.ts'
import type { RestSeed } from '../../tools/simulator/rest-state.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { KEY, type Run } from '../support/program.ts'
import { startRelay } from '../support/relay.ts'
import { skipWithout } from '../support/required.ts'
import { accountWith, REST_TOKEN, runWithRest, SHOP } from '../support/rest.ts'

const simulator = await startSimulator()
const spool = mkdtempSync(join(tmpdir(), 'spool-'))
after(async () => {
  await simulator.close()
  rmSync(spool, { recursive: true })
})
beforeEach(() => {
  simulator.reset()
  simulator.seed(accountWith({ abilities: ['event_intelligence'] }))
})

const BOTH = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_API_TOKEN: REST_TOKEN }

async function doctor(env: Record<string, string> = {}, args: string[] = []): Promise<Run> {
  return await runWithRest(simulator.url, ['doctor', ...args], env)
}

test('all is well: every line is ok, and nothing was paged or written', async () => {
  const { code, stdout, stderr } = await doctor(BOTH)
  assert.equal(code, 0, stdout)
  assert.deepEqual(
    stdout.split('\n').filter((line) => line !== '' && !line.startsWith('ok ')),
    [],
  )
  for (const check of [
    'configuration',
    'key',
    'region',
    'proxy',
    'DNS',
    'endpoint',
    'clock',
    'REST token',
    'change events',
    'service',
    'integration',
    'on call',
  ])
    assert.match(stdout, new RegExp(`^ok   ${check}: `, 'm'))
  assert.match(stdout, /^ok   key: …\w{4} has the shape/m)
  assert.equal(stderr, '')
  assert.deepEqual([simulator.alerts, simulator.changes], [[], []])
  const writes = simulator.requests.filter(({ method }) => method !== 'GET')
  assert.deepEqual(writes.map(({ path, body }) => `${path} ${body.toString()}`).toSorted(), [
    '/v2/change/enqueue {}',
    '/v2/enqueue {}',
  ])
})

for (const [variable, value] of [
  ['PAGERDUTY_EVENTS_URL', 'ftp://127.0.0.1'],
  ['PAGERDUTY_API_URL', 'not an address'],
  ['PAGERDUTY_RELAY_URL', 'http://'],
  ['PAGERDUTY_REGION', 'mars'],
] as const) {
  test(`with an invalid ${variable}, nothing is asked instead of what was meant`, async () => {
    const { code, stdout } = await doctor({ ...BOTH, [variable]: value })
    assert.equal(code, 64, stdout)
    assert.match(stdout, new RegExp(`configuration: ${variable}`))
    assert.match(stdout, /network: not checked, because an address is wrong/)
    assert.doesNotMatch(stdout, /^\S+ +(?:DNS|endpoint|REST token|service|clock): /m)
    assert.equal(simulator.requests.length, 0)
  })
}

test('--json is one line', async () => {
  const { stdout } = await doctor({ ...BOTH, PAGERDUTY_SEVERITY: 'P1' }, ['--json'])
  const { checks, ...rest } = JSON.parse(stdout) as {
    checks: { check: string; status: string; advice?: string }[]
  }
  assert.deepEqual(rest, { command: 'doctor', outcome: 'failed', exit_code: 64 })
  assert.ok(checks.length > 8)
  for (const { status, advice } of checks) if (status === 'failed') assert.ok(advice)
})

const FINDINGS: [string, Record<string, string>, RestSeed, number, RegExp][] = [
  ['nothing set', { PAGERDUTY_TOKEN: '' }, {}, 78, /FAIL configuration: no key is set: .*\n +-> /],
  [
    'a REST token without a service',
    { PAGERDUTY_SERVICE_ID: '' },
    {},
    78,
    /warn service: no service is named; the token sees Shop \(PSHOP\)/,
  ],
  ['an unknown REST token', {}, { tokens: [] }, 78, /FAIL REST token: .*401.*\n +-> .*PAGERDUTY_REGION/],
  [
    'a key that was deleted',
    { ...BOTH, PAGERDUTY_TOKEN: 'f'.repeat(32) },
    {},
    78,
    /FAIL integration: no integration of Shop .*\n +-> copy/,
  ],
  [
    'no integration',
    {},
    { services: [{ id: 'PSHOP', name: 'Shop' }] },
    78,
    /FAIL integration: the service has no Events API v2/,
  ],
  [
    'a disabled service',
    {},
    { services: [{ ...SHOP, isDisabled: true }] },
    78,
    /FAIL service: Shop \(PSHOP\) is disabled/,
  ],
  ['nobody on call', {}, { services: [{ ...SHOP, onCall: [] }] }, 78, /FAIL on call: nobody/],
  [
    'a start that nothing holds back',
    { PAGERDUTY_SUSPENDED: 'true' },
    { services: [{ ...SHOP, suspendRules: [{ class: 'deploy.started', seconds: 1800, isDisabled: true }] }] },
    78,
    /FAIL suspend rule: no rule of Shop \(PSHOP\) holds back the class deploy\.started.*\n +-> in PagerDuty/,
  ],
  [
    'a start that is held back by an orchestration that is off',
    { PAGERDUTY_SUSPENDED: 'true' },
    {
      services: [
        { ...SHOP, isOrchestrated: false, suspendRules: [{ class: 'deploy.started', seconds: 1800 }] },
      ],
    },
    78,
    /FAIL suspend rule: Shop \(PSHOP\) does not use its event orchestration/,
  ],
  [
    'a start that is held back',
    { PAGERDUTY_SUSPENDED: 'true' },
    { services: [{ ...SHOP, suspendRules: [{ class: 'deploy.started', seconds: 1800 }] }] },
    0,
    /ok +suspend rule: alerts of the class deploy\.started are held back for 1800 s/,
  ],
  ['no add-on', {}, { abilities: ['teams'] }, 0, /warn change events: none of the account/],
  [
    'an account’s token',
    {},
    { tokens: [{ token: REST_TOKEN, kind: 'account' }] },
    0,
    /ok +REST token: belongs to the account: writes need PAGERDUTY_FROM/,
  ],
  [
    'an orchestration key',
    { PAGERDUTY_TOKEN: `R${'0'.repeat(31)}` },
    {},
    0,
    /warn key: .*Event Orchestration/,
  ],
  [
    'a spool that is not there',
    { ...BOTH, PAGERDUTY_SPOOL: '/nonexistent/spool' },
    {},
    78,
    /FAIL spool: .*\n +-> create it/,
  ],
  ['a spool', { ...BOTH, PAGERDUTY_SPOOL: spool }, {}, 0, /ok +spool: /],
  [
    'no answer',
    { ...BOTH, PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:1' },
    {},
    75,
    /FAIL endpoint: \/v2\/enqueue: the connection was refused/,
  ],
  [
    'a name that is none',
    { ...BOTH, PAGERDUTY_EVENTS_URL: 'http://no.invalid' },
    {},
    75,
    /FAIL DNS: no\.invalid: /,
  ],
]
for (const [name, env, seed, exitCode, message] of FINDINGS) {
  test(`${name}: ${exitCode}, and the line says what to do`, async () => {
    simulator.seed(accountWith({ abilities: ['event_intelligence'], ...seed }))
    const { code, stdout } = await doctor(env)
    assert.match(stdout, message)
    assert.equal(code, exitCode, stdout)
  })
}

test('an endpoint that answers something other than 400 is not PagerDuty', async () => {
  for (const [status, exitCode] of [
    [200, 65],
    [404, 65],
    [503, 75],
  ] as const) {
    simulator.behave({ endpoint: '/v2/enqueue', times: 1, behaviour: { kind: 'answer', status } })
    const { code, stdout } = await doctor(BOTH)
    assert.match(stdout, new RegExp(`FAIL endpoint: /v2/enqueue answers ${status}`))
    assert.equal(code, exitCode)
  }
})

test('a clock that is off causes a warning', async () => {
  const headers = { date: new Date(Date.now() - 3_600_000).toUTCString() }
  simulator.behave({ endpoint: '/v2/enqueue', behaviour: { kind: 'answer', status: 400, headers } })
  assert.match((await doctor(BOTH)).stdout, /warn clock: 3[56]\d\d s ahead of the server's\n +-> /)
})

test(
  'a certificate that is not trusted fails, with what to do; a trusted one is shown with its expiry',
  { skip: skipWithout('localhost') },
  async () => {
    const secure = await startSimulator({ tls: LOCALHOST_TLS })
    try {
      const env = { ...BOTH, PAGERDUTY_EVENTS_URL: secure.url.replace('127.0.0.1', 'localhost') }
      const untrusted = await doctor(env)
      assert.equal(untrusted.code, 75)
      assert.match(untrusted.stdout, /FAIL TLS: localhost: .*\n +-> .*NODE_EXTRA_CA_CERTS/)
      const ca = fileURLToPath(new URL('../../tools/simulator/localhost-cert.pem', import.meta.url))
      const trusted = await doctor({ ...env, NODE_EXTRA_CA_CERTS: ca })
      assert.match(
        trusted.stdout,
        /^(ok {3}|warn )TLS: localhost: TLSv1\.\d, trusted, by .*, for -?\d+ more days/m,
      )
    } finally {
      await secure.close()
    }
  },
)

test('a relay is asked whether it is ready, and for its endpoints; nothing is sent through it', async (t) => {
  const token = 'relay-token'
  const relay = await startRelay({
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_EVENTS_URL: simulator.url,
    PAGERDUTY_RELAY_TOKEN: token,
  })
  t.after(() => relay.stop())
  const env = { PAGERDUTY_TOKEN: '', PAGERDUTY_RELAY_URL: relay.url }
  const { code, stdout } = await doctor({ ...env, PAGERDUTY_RELAY_TOKEN: token })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /ok +relay: is ready/)
  assert.match(stdout, /ok +endpoint: \/v2\/change\/enqueue answers/)
  const stranger = await doctor({ ...env, PAGERDUTY_RELAY_TOKEN: 'another-token' })
  assert.equal(stranger.code, 65)
  assert.match(
    stranger.stdout,
    /FAIL endpoint: .* 401: .*\n +-> check PAGERDUTY_RELAY_URL and PAGERDUTY_RELAY_TOKEN/,
  )
  assert.equal(simulator.requests.length, 0)
})

test('a relay that accepts nothing is distinguished from one that is not there', async () => {
  const detail = 'the spool accepts nothing: the disk is full'
  const body = JSON.stringify({ type: 'about:blank', title: 'Service Unavailable', status: 503, detail })
  simulator.behave({ endpoint: '/readyz', behaviour: { kind: 'answer', status: 503, body } })
  const unready = await doctor({ PAGERDUTY_TOKEN: '', PAGERDUTY_RELAY_URL: simulator.url })
  assert.equal(unready.code, 75)
  assert.match(unready.stdout, /FAIL relay: \/readyz answers 503: .*the disk is full\n +-> see its log/)
  const down = await doctor({ PAGERDUTY_TOKEN: '', PAGERDUTY_RELAY_URL: 'http://127.0.0.1:1' })
  assert.equal(down.code, 75)
  assert.match(down.stdout, /FAIL relay: the connection was refused.*\n +-> start it/)
})
