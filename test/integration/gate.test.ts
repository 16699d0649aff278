import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import type { RestSeed } from '../../tools/simulator/rest-state.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, startProgram, type Run } from '../support/program.ts'
import { accountWith, ago, REST_TOKEN, runWithRest, SHOP } from '../support/rest.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

type Incident = NonNullable<RestSeed['incidents']>[number]

const DAY_MS = 86_400_000
const OLD: Incident = {
  id: 'QOLD',
  serviceId: 'PSHOP',
  title: 'Disk is full',
  urgency: 'low',
  createdAt: ago(60 * DAY_MS),
}
const NEW: Incident = {
  id: 'QNEW',
  serviceId: 'PSHOP',
  title: 'Checkout is\n\u001b[31mdown',
  status: 'acknowledged',
  createdAt: ago(5 * 60_000),
}
const RESOLVED: Incident = { ...NEW, id: 'QRES', status: 'resolved' }
const ELSEWHERE: Incident = { ...NEW, id: 'QELSE', serviceId: 'POTHER' }

async function gate(args: string[], env: Record<string, string> = {}): Promise<Run> {
  return await runWithRest(simulator.url, ['gate', ...args], env)
}
function open(incidents: Incident[], seed: RestSeed = {}): void {
  simulator.seed(accountWith({ incidents, ...seed }))
}

test('a service without open incidents lets a deployment pass', async () => {
  open([RESOLVED, ELSEWHERE])
  const { code, stdout, stderr } = await gate([])
  assert.deepEqual([code, stdout], [0, ''])
  assert.match(stderr, /gate: no open incident on Shop \(PSHOP\)/)
})

test('open incidents block it, acknowledged and months-old ones too, and are listed one per line', async () => {
  open([OLD, NEW, RESOLVED, ELSEWHERE])
  const { code, stdout, stderr } = await gate(['--quiet'])
  assert.deepEqual([code, stdout], [1, ''])
  const [title = '', first = '', second = '', ...rest] = stderr.trimEnd().split('\n')
  assert.match(title, /gate: 2 open incidents on Shop \(PSHOP\)/)
  assert.match(
    first,
    /low urgency, triggered since \S+Z \(60 d\): Disk is full https:\/\/acme\.pagerduty\.com\/incidents\/QOLD$/,
  )
  assert.match(second, /high urgency, acknowledged since \S+Z \(5 min\): Checkout is \[31mdown https:/)
  assert.deepEqual(rest, [])
  assert.doesNotMatch(stderr, /\u001b/)
})

test('--json is one line with the incidents', async () => {
  open([NEW])
  const { code, stdout } = await gate(['--json'])
  assert.equal(code, 1)
  assert.deepEqual(JSON.parse(stdout), {
    command: 'gate',
    outcome: 'blocked',
    exit_code: 1,
    service: { id: 'PSHOP', name: 'Shop', status: 'warning' },
    incidents: [
      {
        id: 'QNEW',
        title: NEW.title,
        urgency: 'high',
        status: 'acknowledged',
        since: NEW.createdAt,
        link: 'https://acme.pagerduty.com/incidents/QNEW',
      },
    ],
  })
})

test('more than a page of incidents are all seen', async () => {
  open(Array.from({ length: 230 }, (_, index) => ({ ...NEW, id: `Q${index}` })))
  const { code, stderr } = await gate([])
  assert.equal(code, 1)
  assert.match(stderr, /230 open incidents/)
})

test('--urgency counts one kind only, and needs no ability of the account', async () => {
  open([OLD], { abilities: [] })
  assert.equal((await gate(['--urgency', 'high'])).code, 0)
  assert.equal((await gate(['--urgency', 'low'])).code, 1)
})

test('a secret in the title of an incident is not printed', async () => {
  open([{ ...NEW, title: `Leaked ${REST_TOKEN}` }])
  const { stdout, stderr } = await gate(['--json'])
  assert.match(stderr, /Leaked …/)
  assert.match(stdout, /"title":"Leaked …/)
  assert.ok(!(stdout + stderr).includes(REST_TOKEN))
})

test('an incident that cannot be read still counts', async () => {
  open([])
  const body = JSON.stringify({ incidents: [{ id: 7, title: null }], more: false })
  simulator.behave({ endpoint: '/incidents', behaviour: { kind: 'answer', status: 200, body } })
  const { code, stderr } = await gate(['--urgency', 'high'])
  assert.equal(code, 1)
  assert.match(stderr, /unknown urgency, open: an incident without a title/)
})

for (const [env, code] of [
  [{}, 1],
  [{ PAGERDUTY_ROLLBACK: 'true' }, 0],
  [{ CI_COMMIT_MESSAGE: 'Revert "Charge once"' }, 0],
  [{ CI_COMMIT_MESSAGE: 'Revert "Charge once"', PAGERDUTY_ROLLBACK: 'false' }, 1],
] as const) {
  test(`--allow-rollback with ${JSON.stringify(env)} ends with ${code}`, async () => {
    open([NEW])
    assert.equal((await gate(['--allow-rollback'], env)).code, code)
    assert.equal((await gate([], env)).code, 1, 'and without the option nothing passes')
  })
}

test('--wait lets a deployment pass as soon as the incident is resolved', async () => {
  open([NEW])
  const waiting = gate(['--wait', '2m'])
  await simulator.waitForRequests(2)
  simulator.seed(accountWith({ incidents: [RESOLVED] }))
  const { code, stderr } = await waiting
  assert.equal(code, 0)
  assert.match(stderr, /1 open incident on Shop \(PSHOP\); waiting, [\d.]+ (?:min|s) left/)
})

test('--wait ends with 1 when its time is over', async () => {
  open([NEW])
  assert.equal((await gate(['--wait', '1s'])).code, 1)
})

test('while it waits, a failed check is followed by another', async () => {
  open([])
  simulator.behave({ endpoint: '/services/PSHOP', times: 1, behaviour: { kind: 'answer', status: 429 } })
  const { code, stderr } = await gate(['--wait', '1m', '--deadline', '10s'])
  assert.equal(code, 0)
  assert.match(stderr, /cannot read the service: .*; waiting/)
})

test('a signal ends the wait at once, with its own status', async () => {
  open([NEW])
  const env = {
    ...CODESHIP_PRO,
    PAGERDUTY_API_TOKEN: REST_TOKEN,
    PAGERDUTY_SERVICE_ID: 'PSHOP',
    PAGERDUTY_API_URL: simulator.url,
  }
  const { child, ended } = startProgram(['gate', '--wait', '1h'], { env })
  await simulator.waitForRequests(2)
  child.kill('SIGTERM')
  assert.equal((await ended).code, 143)
})

test('a service in maintenance or disabled causes a warning', async () => {
  const window = { id: 'PW', serviceIds: ['PSHOP'], startTime: ago(DAY_MS), endTime: ago(-DAY_MS) }
  const iso = (time: string): string => new Date(time).toISOString()
  open([], { windows: [{ ...window, startTime: iso(window.startTime), endTime: iso(window.endTime) }] })
  const maintenance = await gate([])
  assert.deepEqual([maintenance.code, /warning: .*in maintenance/.test(maintenance.stderr)], [0, true])
  open([], { services: [{ ...SHOP, isDisabled: true }] })
  const disabled = await gate([])
  assert.deepEqual([disabled.code, /warning: .*is disabled/.test(disabled.stderr)], [0, true])
})

const UNANSWERED: [string, RestSeed, Record<string, string>, number, RegExp][] = [
  [
    'an integration key only',
    {},
    { PAGERDUTY_TOKEN: KEY },
    78,
    /takes no integration key: .*PAGERDUTY_API_TOKEN/,
  ],
  [
    'no service',
    {},
    { PAGERDUTY_SERVICE_ID: '' },
    78,
    /gate needs to know the service: set PAGERDUTY_SERVICE_ID/,
  ],
  ['an unknown service', {}, { PAGERDUTY_SERVICE_ID: 'PNONE' }, 78, /404/],
  ['an unknown token', { tokens: [] }, {}, 78, /401/],
]
for (const [name, seed, env, exitCode, message] of UNANSWERED) {
  test(`${name}: ${exitCode}, neither 0 nor 1`, async () => {
    open([], seed)
    const { code, stderr } = await gate([], env)
    assert.equal(code, exitCode)
    assert.match(stderr, message)
  })
}

for (const [status, exitCode] of [
  [402, 65],
  [403, 78],
  [418, 65],
  [429, 75],
  [500, 75],
] as const) {
  test(`PagerDuty answers ${status}: ${exitCode}, neither 0 nor 1`, async () => {
    open([NEW])
    simulator.behave({ endpoint: '/incidents', behaviour: { kind: 'answer', status } })
    // What is final ends the gate at once; what is retried, at the deadline.
    const deadline = exitCode === 75 ? '300ms' : '60s'
    assert.equal((await gate(['--deadline', deadline])).code, exitCode)
  })
}

for (const option of ['--dry-run', '--relay=http://127.0.0.1:1', '--summary=x', '--note']) {
  test(`${option} is not an option of gate`, async () => {
    assert.equal((await gate([option])).code, 64)
  })
}
