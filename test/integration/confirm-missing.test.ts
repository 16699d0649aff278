import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { RestSeed } from '../../tools/simulator/rest-state.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { KEY, type Run } from '../support/program.ts'
import { accountWith, ago, REST_TOKEN, runWithRest, SHOP } from '../support/rest.ts'

const BOTH = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_API_TOKEN: REST_TOKEN }
const DAY_MS = 86_400_000
const DEDUP_KEY = 'deploy/acme/shop/master'
/** Time to look more than once on a busy machine, but not the 20 s that it waits otherwise for what never comes. */
const DEADLINE = '15s'

interface Sending {
  readonly seed?: RestSeed
  readonly env?: Readonly<Record<string, string>>
  /** What the REST API answers to every call of this path. */
  readonly answers?: { readonly endpoint: string; readonly status: number }
}

/** Runs a command against a PagerDuty of its own, since these tests all wait, and so wait at the same time. */
async function send(args: readonly string[], { seed = {}, env = BOTH, answers }: Sending): Promise<Run> {
  const simulator = await startSimulator({
    alertsAreIncidents: true,
    rest: accountWith({ abilities: ['event_intelligence'], ...seed }),
  })
  if (answers !== undefined)
    simulator.behave({
      endpoint: answers.endpoint,
      behaviour: { kind: 'answer', status: answers.status },
    })
  try {
    return await runWithRest(simulator.url, [...args, '--deadline', DEADLINE], env)
  } finally {
    await simulator.close()
  }
}

function inMaintenance(): RestSeed {
  const time = (durationMs: number): string => new Date(Date.now() - durationMs).toISOString()
  return { windows: [{ id: 'PW', serviceIds: ['PSHOP'], startTime: time(DAY_MS), endTime: time(-DAY_MS) }] }
}

const UNSHOWN: [string, string, RestSeed, Record<string, string>, RegExp][] = [
  [
    'a disabled service',
    'success',
    { services: [{ ...SHOP, isDisabled: true }] },
    BOTH,
    /warning: change event: accepted, but shown nowhere: Shop \(PSHOP\) is disabled, and PagerDuty drops its events$/m,
  ],
  [
    'a service in maintenance',
    'failure',
    inMaintenance(),
    BOTH,
    /warning: trigger of \S+: accepted, but shown nowhere: Shop \(PSHOP\) is in maintenance, and PagerDuty drops its events until that ends$/m,
  ],
  [
    'an account without AIOps',
    'success',
    { showsChanges: false, abilities: ['teams'] },
    BOTH,
    /warning: change event: accepted, but shown nowhere after \d+ s: the account seems to have no AIOps/,
  ],
  [
    'a change event that is not listed',
    'success',
    { showsChanges: false },
    BOTH,
    /warning: change event: accepted, but shown nowhere after \d+ s: it is not listed; PagerDuty may be late$/m,
  ],
  [
    'a key of another service',
    'failure',
    {},
    { ...BOTH, PAGERDUTY_TOKEN: 'f'.repeat(32) },
    /warning: trigger of \S+: accepted, but shown nowhere after \d+ s: no integration of Shop \(PSHOP\) has its key/,
  ],
]
suite('what PagerDuty does not show', { concurrency: true }, () => {
  for (const [what, command, seed, env, words] of UNSHOWN) {
    test(`${what}: ${command} says so, and its exit status stays 0`, async () => {
      const { code, stderr } = await send([command, '--confirm'], { seed, env })
      assert.equal(code, 0)
      assert.match(stderr, words)
    })
  }

  test('an alert that is still open after its resolve is told, with the reason', async () => {
    const incident = { id: 'QOLD', serviceId: 'PSHOP', title: 'Checkout is down', createdAt: ago(DAY_MS) }
    const seed = { incidents: [{ ...incident, alertKeys: [DEDUP_KEY] }] }
    const { code, stderr } = await send(['success', '--confirm'], { seed })
    assert.equal(code, 0)
    assert.match(stderr, /warning: resolve of \S+: PagerDuty shows the alert still open: https\S+\/QOLD$/m)
  })

  test('an acknowledge without an open incident says that there is none', async () => {
    const { code, stderr } = await send(['acknowledge', '--confirm', '--dedup-key', 'nothing'], {})
    assert.equal(code, 0)
    assert.match(stderr, /shows no open incident of this alert, so there is nothing to acknowledge$/m)
  })

  test('--json has the confirmation of each event', async () => {
    const { stdout } = await send(['success', '--confirm', '--json'], { seed: { showsChanges: false } })
    const { events, exit_code: exitCode } = JSON.parse(stdout) as {
      events: Record<string, unknown>[]
      exit_code: number
    }
    assert.equal(exitCode, 0)
    assert.deepEqual(
      events.map(({ outcome, confirmed }) => [outcome, confirmed]),
      [
        ['accepted', false],
        ['accepted', true],
      ],
    )
    for (const { confirmation } of events) assert.equal(typeof confirmation, 'string')
  })

  for (const status of [403, 500]) {
    test(`PagerDuty answers ${status} to the look: not known, and the exit status stays 0`, async () => {
      const { code, stdout, stderr } = await send(['success', '--confirm', '--json'], {
        answers: { endpoint: '/services/PSHOP', status },
      })
      assert.equal(code, 0)
      assert.match(
        stderr,
        /warning: change event: cannot tell whether PagerDuty shows it: cannot read the service/,
      )
      assert.match(stdout, /"confirmation":"cannot tell whether/)
      assert.doesNotMatch(stdout, /"confirmed"/)
    })
  }

  test('doctor --send-test warns of a test event that is shown nowhere', async () => {
    const { code, stdout } = await send(['doctor', '--send-test'], {
      seed: { showsChanges: false, abilities: ['teams'] },
    })
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^warn test event: accepted, but shown nowhere after \d+ s: the account seems to have no AIOps/m,
    )
  })
})
