import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import type { RestSeed } from '../../tools/simulator/rest-state.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { BIN, CODESHIP_PRO, KEY, startProgram, type Program, type Run } from '../support/program.ts'
import { accountWith, ago, REST_TOKEN, runWithRest, SHOP } from '../support/rest.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

type Incident = NonNullable<RestSeed['incidents']>[number]

const DAY_MS = 86_400_000
const OLD: Incident = { id: 'QOLD', serviceId: 'PSHOP', title: 'Disk is full', createdAt: ago(60_000) }
const NEW: Incident = { ...OLD, id: 'QNEW', title: 'Checkout is\ndown', createdAt: ago(0) }
const OWN_KEY = 'deploy/acme/shop/master'
const SHORT = ['--for', '1s']

function seed(incidents: Incident[], more: RestSeed = {}): void {
  simulator.seed(accountWith({ incidents, ...more }))
}
async function watch(args: string[], env: Record<string, string> = {}): Promise<Run> {
  return await runWithRest(simulator.url, ['watch', ...args], env)
}
/** Waits until the watch looks for the second time: what is seeded from then on is new. */
async function untilItHasLooked(): Promise<void> {
  await simulator.waitForRequests(3)
}
/** A short wait that is long enough for a busy machine: polls come every 500 ms at most. */
const WAIT = ['--for', '5s']

/** A watch during which the incidents open. */
async function watchWhile(
  opened: Incident[],
  args: string[],
  env: Record<string, string> = {},
): Promise<Run> {
  seed([OLD])
  const watching = watch(args, env)
  await untilItHasLooked()
  seed([OLD, ...opened])
  return await watching
}

test('a service on which nothing new opens: 0', async () => {
  seed([OLD])
  const { code, stdout, stderr } = await watch(SHORT)
  assert.deepEqual([code, stdout], [0, ''])
  assert.match(stderr, /watch: looking for new incidents on Shop \(PSHOP\) for 1 s/)
  assert.match(stderr, /watch: no new incident on Shop \(PSHOP\) in 1 s/)
  assert.ok(simulator.requests.length >= 3, 'it has looked at least twice')
})

test('a new incident is printed: 1', async () => {
  const { code, stdout, stderr } = await watchWhile([NEW], WAIT)
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(
    stderr,
    /watch: 1 new incident on Shop \(PSHOP\)\n.*high urgency, triggered since \S+Z \(less than/,
  )
  assert.match(stderr, /: Checkout is down https:\/\/acme\.pagerduty\.com\/incidents\/QNEW\n/)
  assert.doesNotMatch(stderr, /Disk is full/)
  assert.deepEqual([simulator.rest.notes, simulator.changes], [[], []], 'and nothing is written')
})

test('--json is one line with the incident', async () => {
  const { code, stdout } = await watchWhile([NEW], [...WAIT, '--json'])
  const { incidents, ...line } = JSON.parse(stdout) as { incidents: { id: string }[] }
  assert.equal(code, 1)
  assert.deepEqual(line, {
    command: 'watch',
    outcome: 'incident',
    exit_code: 1,
    service: { id: 'PSHOP', name: 'Shop', status: 'critical' },
  })
  assert.deepEqual(
    incidents.map(({ id }) => id),
    ['QNEW'],
  )
})

test('an incident that is resolved before the next look counts', async () => {
  assert.equal((await watchWhile([{ ...NEW, status: 'resolved' }], WAIT)).code, 1)
})

const NOT_COUNTED: [string, Incident][] = [
  ['of another service', { ...NEW, serviceId: 'POTHER' }],
  ['of this deployment’s failure alert', { ...NEW, alertKeys: [OWN_KEY] }],
  ['of this deployment’s success alert', { ...NEW, alertKeys: [`${OWN_KEY}#success`] }],
  ['of low urgency, with --urgency high', { ...NEW, urgency: 'low' }],
]
for (const [name, incident] of NOT_COUNTED) {
  test(`an incident ${name} does not count`, async () => {
    const { code, stderr } = await watchWhile([incident], ['--for', '3s', '--urgency', 'high'])
    assert.equal(code, 0, stderr)
  })
}

test('a clock that is hours behind PagerDuty’s takes no older incident for a new one', async () => {
  seed([{ ...OLD, createdAt: ago(-3 * 3_600_000) }])
  assert.equal((await watch(SHORT)).code, 0)
})

test('a clock that is hours ahead of PagerDuty’s misses no new incident', async () => {
  assert.equal((await watchWhile([{ ...NEW, createdAt: ago(3 * 3_600_000) }], WAIT)).code, 1)
})

test('the alert of the deployment itself, sent while it watches, does not count', async () => {
  seed([])
  const watching = watch(['--for', '3s'])
  await untilItHasLooked()
  assert.equal((await runWithRest(simulator.url, ['failure'])).code, 0)
  const { code, stderr } = await watching
  assert.equal(code, 0, stderr)
  assert.equal(simulator.alerts[0]?.status, 'triggered')
})

test('--note writes what was deployed, by whom, when, and the links on the new incident', async () => {
  const env = { PAGERDUTY_REPOSITORY_URL: 'https://github.com/acme/shop' }
  const { stderr } = await watchWhile([NEW], [...WAIT, '--note'], env)
  const [note, ...others] = simulator.rest.notes
  assert.deepEqual([note?.incidentId, others], ['QNEW', []], stderr)
  const lines = note?.content.split('\n') ?? []
  assert.match(lines[0] ?? '', /opened soon after a deployment/)
  assert.equal(lines[1], 'Deployed acme/shop@5f0c1d2 to master by Jane Doe: Fix the checkout')
  assert.match(lines[2] ?? '', /^The deployment ended at 20\d\d-.*Z\.$/)
  assert.match(
    lines.slice(3).join('\n'),
    /Commit 5f0c1d2: https:\/\/github\.com\/acme\/shop\/commit\/5f0c1d2/,
  )
})

test('a note that cannot be written causes a warning, and the rollback runs', async () => {
  seed([])
  const reading = [{ token: REST_TOKEN, kind: 'read-only' as const }]
  seed([], { tokens: reading })
  const watching = watch([...WAIT, '--note', '--', process.execPath, '-e', 'console.log("undone")'])
  await untilItHasLooked()
  seed([NEW], { tokens: reading })
  const { code, stdout, stderr } = await watching
  assert.deepEqual([code, stdout], [1, 'undone\n'])
  assert.match(stderr, /warning: cannot add a note about the deployment: .*403/)
})

interface Change {
  readonly payload: { readonly summary: string; readonly custom_details?: Record<string, unknown> }
  readonly links?: readonly { readonly href: string; readonly text: string }[]
}

const SCRIPT = `
  process.stdin.setEncoding('utf8').on('data', (text) => process.stdout.write(text))
  process.stdin.on('end', () => {
    console.log(process.env.PAGERDUTY_ROLLBACK, process.argv[1])
    console.error('to stderr')
    process.exit(Number(process.argv[2] ?? 0))
  })`

function startWatch(args: string[], stdin = ''): Program {
  const env = {
    ...CODESHIP_PRO,
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_API_TOKEN: REST_TOKEN,
    PAGERDUTY_SERVICE_ID: 'PSHOP',
    PAGERDUTY_API_URL: simulator.url,
    PAGERDUTY_EVENTS_URL: simulator.url,
  }
  return startProgram(['watch', ...args], { env, stdin })
}

test('the rollback gets the streams, its arguments and PAGERDUTY_ROLLBACK, and a change event follows it', async () => {
  seed([OLD])
  const { ended } = startWatch([...WAIT, '--', process.execPath, '-e', SCRIPT, 'a b'], 'to stdin\n')
  await untilItHasLooked()
  seed([OLD, NEW])
  const { code, stdout, stderr } = await ended
  assert.deepEqual([code, stdout], [1, 'to stdin\ntrue a b\n'])
  assert.match(stderr, /^to stderr$/m)
  const [change, ...others] = simulator.changes
  assert.deepEqual(others, [])
  const { payload, links = [] } = (change ?? assert.fail(stderr)) as Change
  assert.equal(
    payload.summary,
    'Deployment of acme/shop@5f0c1d2 to master rolled back: QNEW (Checkout is down)',
  )
  assert.equal(
    links.find(({ text }) => text === 'Incident QNEW')?.href,
    'https://acme.pagerduty.com/incidents/QNEW',
  )
  const { outcome, incidents, commit } = payload.custom_details ?? {}
  assert.deepEqual([outcome, incidents, commit], ['rolled back', ['QNEW'], CODESHIP_PRO['CI_COMMIT_ID']])
})

/** What a rollback's own script says to PagerDuty, by a command of this program. */
async function watchAndRollBackWith(args: readonly string[]): Promise<Run> {
  seed([OLD])
  const { ended } = startWatch([...WAIT, '--', process.execPath, BIN, ...args])
  await untilItHasLooked()
  seed([OLD, NEW])
  return await ended
}

for (const args of [['success'], ['run', '--', process.execPath, '-e', '']]) {
  test(`${args[0]} in the command of a rollback announces a rollback`, async () => {
    const { code, stderr } = await watchAndRollBackWith(args)
    assert.equal(code, 1, stderr)
    const [own] = simulator.changes as unknown as Change[]
    assert.match(
      own?.payload.summary ?? '',
      /^Rolled back acme\/shop@5f0c1d2 in master by Jane Doe: Fix the checkout$/,
    )
    assert.equal(own?.payload.custom_details?.['rollback'], true)
    assert.equal(simulator.changes.length, 2, 'and watch says how the rollback ended')
  })
}

test('a rollback that fails is an alert of the class rollback', async () => {
  const { stderr } = await watchAndRollBackWith(['run', '--', process.execPath, '-e', 'process.exit(3)'])
  const { payload } = simulator.alerts[0]?.event ?? assert.fail(stderr)
  assert.match(payload?.summary ?? '', /^Rollback of acme\/shop@5f0c1d2 to master failed with exit status 3/)
  assert.equal(payload?.class, 'rollback')
})

test('gate --allow-rollback in the command of a rollback lets it pass, despite the incident', async () => {
  const { stderr } = await watchAndRollBackWith(['gate', '--allow-rollback'])
  assert.match(stderr, /gate: this deployment is a rollback \(PAGERDUTY_ROLLBACK says so\) and may pass/)
  assert.match(stderr, /watch: the rollback has ended/)
})

for (const [name, command, said, summary] of [
  [
    'fails',
    [process.execPath, '-e', 'process.exit(3)'],
    /failed with exit status 3/,
    /^Rollback of .* failed with exit status 3: QNEW/,
  ],
  [
    'cannot be started',
    ['/nowhere/rollback.sh'],
    /nowhere\/rollback\.sh: command not found/,
    /^Rollback of .* failed with exit status 127: QNEW/,
  ],
] as const) {
  test(`a rollback that ${name} is reported: 1`, async () => {
    const { code, stderr } = await watchWhile([NEW], [...WAIT, '--', ...command])
    assert.equal(code, 1)
    assert.match(stderr, said)
    assert.match(String(simulator.changes[0]?.payload?.summary), summary)
  })
}

test('a change event that PagerDuty refuses changes nothing about the status', async () => {
  simulator.behave({ endpoint: '/v2/change/enqueue', behaviour: { kind: 'answer', status: 400 } })
  const { code, stderr } = await watchWhile([NEW], [...WAIT, '--', process.execPath, '-e', ''])
  assert.equal(code, 1)
  assert.match(stderr, /change event: refused with/)
})

test('while nothing opens, the rollback does not run', async () => {
  seed([OLD])
  const { code, stdout } = await watch([...SHORT, '--', process.execPath, '-e', 'console.log("undone")'])
  assert.deepEqual([code, stdout, simulator.changes], [0, '', []])
})

for (const [signal, status] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  test(`${signal} ends the watch: ${status}`, async () => {
    seed([OLD])
    const { child, ended } = startWatch(['--for', '10m'])
    await simulator.waitForRequests(2)
    child.kill(signal)
    assert.equal((await ended).code, status)
  })

  test(`${signal} ends a rollback, and the watch after it: ${status}`, async () => {
    const script = `process.on('${signal}', () => process.exit(9)); setInterval(() => {}, 1000); console.log('ready')`
    seed([OLD])
    const { child, ended } = startWatch([...WAIT, '--', process.execPath, '-e', script])
    await untilItHasLooked()
    seed([OLD, NEW])
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.kill(signal)
    assert.equal((await ended).code, status)
    assert.match(String(simulator.changes[0]?.payload?.summary), /^Rollback of .* failed with exit status 9/)
  })
}

for (const [name, more, behave] of [
  ['an unknown token', { tokens: [] }, undefined],
  ['an unknown service', { services: [] }, undefined],
  ['an answer of 500', {}, 500],
  ['an answer of 429', {}, 429],
  ['an answer of 403', {}, 403],
] as const) {
  test(`${name}: 0 with a warning, 75 with --strict`, async () => {
    const args = [...SHORT, '--deadline', '300ms', '--json']
    for (const [strict, status, level] of [
      [[], 0, 'warning'],
      [['--strict'], 75, 'error'],
    ] as const) {
      seed([OLD], { ...(more as RestSeed) })
      if (behave !== undefined)
        simulator.behave({ endpoint: '/incidents', behaviour: { kind: 'answer', status: behave } })
      const { code, stdout, stderr } = await watch([...args, ...strict])
      assert.equal(code, status, stderr)
      assert.match(stderr, new RegExp(`${level}: watch: cannot tell whether a new incident opened: cannot`))
      assert.equal((JSON.parse(stdout) as { outcome: string }).outcome, 'unknown')
      simulator.reset()
    }
  })
}

test('a look that fails is followed by another, which sees what opened in between', async () => {
  seed([OLD])
  const watching = watch([...WAIT, '--deadline', '30s'])
  await untilItHasLooked()
  const headers = { 'retry-after': '60' } // longer than the deadline, so the call is not repeated
  const behaviour = { kind: 'answer', status: 429, headers } as const
  simulator.behave({ endpoint: '/incidents', times: 1, behaviour })
  seed([OLD, NEW])
  assert.equal((await watching).code, 1)
})

for (const [name, env] of [
  ['an integration key only', { PAGERDUTY_TOKEN: KEY }],
  ['no service', { PAGERDUTY_SERVICE_ID: '' }],
] as const) {
  test(`${name}: 78, and nothing is asked`, async () => {
    seed([])
    assert.equal((await watch([], env)).code, 78)
    assert.equal(simulator.requests.length, 0)
  })
}

test('a service in maintenance causes a warning', async () => {
  const iso = (time: string): string => new Date(time).toISOString()
  const times = { startTime: iso(ago(DAY_MS)), endTime: iso(ago(-DAY_MS)) }
  seed([], { windows: [{ id: 'PW', serviceIds: ['PSHOP'], ...times }], services: [SHOP] })
  const { code, stderr } = await watch(SHORT)
  assert.equal(code, 0)
  assert.match(stderr, /warning: watch: Shop \(PSHOP\) is in maintenance, so it opens no new incidents/)
})

for (const args of [
  ['--dry-run'],
  ['--wait', '1m'],
  ['--summary', 'x'],
  ['--maintenance', '5'],
  ['ls'],
  ['--for', 'x'],
  ['--'],
]) {
  test(`watch ${args.join(' ')} is a usage error`, async () => {
    assert.equal((await watch(args)).code, 64)
  })
}
