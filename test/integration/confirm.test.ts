import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import type { RestSeed } from '../../tools/simulator/rest-state.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { KEY, type Run } from '../support/program.ts'
import { accountWith, ago, REST_TOKEN, runWithRest } from '../support/rest.ts'

const simulator = await startSimulator({ alertsAreIncidents: true })
after(() => simulator.close())
beforeEach(() => {
  simulator.reset()
  account({})
})

const BOTH = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_API_TOKEN: REST_TOKEN }
const DAY_MS = 86_400_000
const DEDUP_KEY = 'deploy/acme/shop/master'

function account(seed: RestSeed): void {
  simulator.seed(accountWith({ abilities: ['event_intelligence'], ...seed }))
}

async function send(
  args: readonly string[],
  env: Record<string, string> = BOTH,
  command = 'success',
): Promise<Run> {
  return await runWithRest(simulator.url, [command, '--confirm', ...args], env)
}

function inMaintenance(): RestSeed {
  const time = (durationMs: number): string => new Date(Date.now() - durationMs).toISOString()
  return { windows: [{ id: 'PW', serviceIds: ['PSHOP'], startTime: time(DAY_MS), endTime: time(-DAY_MS) }] }
}

test('success says that PagerDuty shows the change event, and no open alert', async () => {
  const { code, stderr } = await send([])
  assert.equal(code, 0)
  assert.match(stderr, /: change event: accepted \(202\)$/m)
  assert.match(stderr, /: change event: PagerDuty shows it on Shop \(PSHOP\)$/m)
  assert.match(stderr, /: resolve of deploy\/acme\/shop\/master: PagerDuty shows no open alert of it on Shop/)
  assert.doesNotMatch(stderr, /warning/)
})

test('failure says where its incident is', async () => {
  const { code, stderr } = await send([], BOTH, 'failure')
  assert.equal(code, 0)
  assert.match(
    stderr,
    /: trigger of \S+: PagerDuty shows it: https:\/\/acme\.pagerduty\.com\/incidents\/Q\d+ on Shop/,
  )
})

test('it also works if the key is looked up', async () => {
  const { code, stderr } = await send([], {}, 'failure')
  assert.equal(code, 0)
  assert.match(stderr, /PagerDuty shows it: https/)
})

test('an event that PagerDuty lists late is waited for', async () => {
  const none = JSON.stringify({ change_events: [], more: false })
  simulator.behave({
    endpoint: '/services/PSHOP/change_events',
    times: 1,
    behaviour: { kind: 'answer', status: 200, body: none },
  })
  const { code, stderr } = await send([])
  assert.equal(code, 0)
  assert.match(stderr, /change event: PagerDuty shows it/)
})

test('an incident that is only open for other alerts of its group does not count', async () => {
  const incident = { id: 'QOLD', serviceId: 'PSHOP', title: 'Checkout is down', createdAt: ago(DAY_MS) }
  account({ incidents: [{ ...incident, alertKeys: ['another', DEDUP_KEY], resolvedAlertKeys: [DEDUP_KEY] }] })
  const { stderr } = await send([])
  assert.match(stderr, /resolve of \S+: PagerDuty shows no open alert of it/)
})

test('an incident that was already open is named as such', async () => {
  const incident = { id: 'QOLD', serviceId: 'PSHOP', title: 'Checkout is down', createdAt: ago(DAY_MS) }
  account({ incidents: [{ ...incident, alertKeys: [DEDUP_KEY] }], ...inMaintenance() })
  const { stderr } = await send([], BOTH, 'failure')
  assert.match(stderr, /shows an incident of this alert that was already open: https\S+\/QOLD on Shop/)
})

test('an acknowledge is confirmed by its incident', async () => {
  await send([], BOTH, 'failure')
  const known = await send([], BOTH, 'acknowledge')
  assert.match(known.stderr, /acknowledge of \S+: PagerDuty shows its incident as acknowledged: https/)
})

test('without --confirm nothing is asked, and --json has none', async () => {
  const { stdout } = await runWithRest(simulator.url, ['success', '--json'], BOTH)
  assert.doesNotMatch(stdout, /confirm/)
  assert.ok(simulator.requests.every(({ method }) => method === 'POST'))
})

test('an event that is refused is not looked for, and keeps its exit status', async () => {
  simulator.behave({ endpoint: '/v2/enqueue', behaviour: { kind: 'answer', status: 400 } })
  const { code, stderr } = await send([], BOTH, 'trigger')
  assert.equal(code, 64, 'no summary')
  const refused = await send(['--summary', 'x'], BOTH, 'trigger')
  assert.equal(refused.code, 65)
  assert.doesNotMatch(`${stderr}${refused.stderr}`, /PagerDuty shows/)
})

for (const [what, env, words] of [
  [
    'a REST API token',
    { PAGERDUTY_TOKEN: KEY },
    /--confirm asks PagerDuty’s REST API, .*PAGERDUTY_API_TOKEN/,
  ],
  [
    'a service',
    { ...BOTH, PAGERDUTY_SERVICE_ID: '' },
    /--confirm needs to know the service: set PAGERDUTY_SERVICE_ID/,
  ],
] as const) {
  test(`without ${what}, --confirm is refused with 78, and nothing is sent`, async () => {
    for (const command of ['failure', 'success', 'resolve']) {
      // One after another, since they share the simulator.
      // oxlint-disable-next-line no-await-in-loop
      const { code, stderr } = await send([], env, command)
      assert.equal(code, 78)
      assert.match(stderr, words)
    }
    assert.equal(simulator.requests.length, 0)
  })

  test(`without ${what}, run says so, and still reports`, async () => {
    const { code, stderr } = await send(['--', process.execPath, '-e', 'process.exit(3)'], env, 'run')
    assert.equal(code, 3)
    assert.match(stderr, words)
    assert.match(stderr, /the outcome is reported, but not confirmed/)
    assert.equal(simulator.alerts.length, 1)
  })
}

test('run and send confirm what they sent', async () => {
  const run = await send(['--', process.execPath, '-e', 'process.exit(3)'], BOTH, 'run')
  assert.equal(run.code, 3)
  assert.match(run.stderr, /trigger of \S+: PagerDuty shows it: https/)
  const event = JSON.stringify({ payload: { summary: 'Feature flag switched on', source: 'shop' } })
  const sent = await runWithRest(simulator.url, ['send', '--confirm'], BOTH, event)
  assert.match(sent.stderr, /change event: PagerDuty shows it on Shop/)
})

test('trigger prints nothing on stdout but its dedup key', async () => {
  const { stdout, stderr } = await send(['--summary', 'Migration is stuck'], BOTH, 'trigger')
  assert.equal(stdout, `${DEDUP_KEY}\n`)
  assert.match(stderr, /PagerDuty shows it/)
})

test('doctor --send-test sends one change event, and says that PagerDuty shows it', async () => {
  const { code, stdout } = await runWithRest(simulator.url, ['doctor', '--send-test'], BOTH)
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^ok   test event: PagerDuty shows it on Shop \(PSHOP\)$/m)
  assert.equal(simulator.changes.length, 1)
  assert.match(
    simulator.changes[0]?.payload.summary ?? '',
    /^Test of pagerduty-alert from .*: nothing was deployed$/,
  )
  assert.equal(simulator.alerts.length, 0)
})

test('doctor --send-test without a REST API token only says that it was accepted', async () => {
  const { code, stdout } = await runWithRest(simulator.url, ['doctor', '--send-test'], {
    PAGERDUTY_TOKEN: KEY,
  })
  assert.equal(code, 0)
  assert.match(stdout, /^ok   test event: accepted \(202\); with a REST API token/m)
})

test('doctor --send-test fails with PagerDuty’s refusal', async () => {
  simulator.behave({
    endpoint: '/v2/change/enqueue',
    behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' },
  })
  const { code, stdout } = await runWithRest(simulator.url, ['doctor', '--send-test'], {
    PAGERDUTY_TOKEN: KEY,
  })
  assert.equal(code, 65)
  assert.match(stdout, /^FAIL test event: refused with 400: Invalid routing key/m)
})

test('doctor without --send-test sends no event', async () => {
  await runWithRest(simulator.url, ['doctor'], BOTH)
  assert.equal(simulator.changes.length, 0)
})
