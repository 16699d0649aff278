import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import type { RestSeed } from '../../tools/simulator/rest-state.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, startProgram } from '../support/program.ts'
import { accountWith, ago, REST_TOKEN, runWithRest, SHOP } from '../support/rest.ts'
import { until } from '../support/until.ts'

const simulator = await startSimulator()
const folder = mkdtempSync(join(tmpdir(), 'on-call-'))
after(async () => {
  await simulator.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => simulator.reset())

type OnCall = NonNullable<NonNullable<RestSeed['services']>[number]['onCall']>

const LEVELS: OnCall = [{ name: 'Ann Lee', level: 2 }, 'Jane Doe', 'john@example.com']
const DAY_MS = 86_400_000

function seed(onCall: OnCall, more: Partial<typeof SHOP> & { isDisabled?: boolean } = {}): void {
  simulator.seed(accountWith({ services: [{ ...SHOP, ...more, onCall }] }))
}

/** The paths of the requests, in order, without their queries. */
function paths(): string[] {
  return simulator.requests.map(({ path }) => path.split('?')[0] ?? '')
}

test('failure sends its alert first, and then says whom it pages, without an e-mail address', async () => {
  seed(LEVELS)
  const { code, stdout, stderr } = await runWithRest(simulator.url, ['failure', '--json'], {
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_API_TOKEN: REST_TOKEN,
  })
  assert.equal(code, 0)
  assert.match(stderr, /: a failure pages Jane Doe and user PUSER3; escalates to Ann Lee$/m)
  assert.doesNotMatch(`${stdout}${stderr}`, /@example/)
  assert.deepEqual(paths(), ['/v2/enqueue', '/services/PSHOP', '/oncalls'])
})

test('the end of a shift is shown with its zone', async () => {
  seed([{ name: 'Jane Doe', end: new Date(Date.now() + DAY_MS).toISOString() }])
  const { stderr } = await runWithRest(simulator.url, ['failure'])
  assert.match(stderr, /a failure pages Jane Doe until (Sun|Mon|Tue|Wed|Thu|Fri|Sat) \d\d:\d\d UTC$/m)
})

for (const [what, change, words] of [
  ['nobody is on call', () => seed([]), 'nobody: nobody is on call for Shop (PSHOP)'],
  ['the service is disabled', () => seed(LEVELS, { isDisabled: true }), 'nobody: Shop (PSHOP) is disabled'],
] as const) {
  test(`${what}: failure warns that it pages nobody`, async () => {
    change()
    const { code, stderr } = await runWithRest(simulator.url, ['failure'])
    assert.equal(code, 0)
    assert.ok(stderr.includes(`warning: a failure pages ${words}\n`), stderr)
  })
}

for (const [what, env] of [
  ['no REST API token', { PAGERDUTY_TOKEN: KEY }],
  ['no service', { PAGERDUTY_TOKEN: KEY, PAGERDUTY_API_TOKEN: REST_TOKEN, PAGERDUTY_SERVICE_ID: '' }],
] as const) {
  test(`${what}: failure asks nothing and says nothing about it`, async () => {
    seed(LEVELS)
    const { code, stderr } = await runWithRest(simulator.url, ['failure'], env)
    assert.equal(code, 0)
    assert.doesNotMatch(stderr, /failure pages/)
    assert.deepEqual(paths(), ['/v2/enqueue'])
  })
}

test('a failure that pages nobody yet, or ever, is not said to page', async () => {
  seed(LEVELS)
  const third = await runWithRest(simulator.url, ['failure', '--after', '3'], { PAGERDUTY_SPOOL: folder })
  assert.match(
    third.stderr,
    /a failure pages Jane Doe and user PUSER3; escalates to Ann Lee, from the 3rd in a row$/m,
  )
  const change = await runWithRest(simulator.url, ['failure', '--failure-as', 'change'])
  assert.doesNotMatch(`${change.stderr}`, /failure pages/)
})

test('other commands do not ask', async () => {
  seed(LEVELS)
  await runWithRest(simulator.url, ['success'])
  await runWithRest(simulator.url, ['failure', '--dry-run'])
  assert.ok(!paths().includes('/oncalls'))
})

for (const status of [403, 500]) {
  test(`PagerDuty answers ${status} to who is on call: the line says so, and the status stays 0`, async () => {
    seed(LEVELS)
    simulator.behave({ endpoint: '/oncalls', behaviour: { kind: 'answer', status } })
    const { code, stderr } = await runWithRest(simulator.url, ['failure'])
    assert.equal(code, 0)
    assert.match(
      stderr,
      new RegExp(`: cannot tell whom a failure pages: cannot see who is on call: .*${status}`),
    )
    assert.doesNotMatch(stderr, /warning|error/)
    assert.equal(simulator.alerts.length, 1)
  })
}

test('run says whom a failure pages while its command runs', async () => {
  seed(LEVELS)
  const file = join(folder, 'go')
  const script = `const { existsSync } = require('node:fs')
    setInterval(() => existsSync(${JSON.stringify(file)}) && process.exit(3), 10)`
  const program = startProgram(['run', '--', process.execPath, '-e', script], { env: envFor(simulator.url) })
  let stderr = ''
  program.child.stderr.on('data', (text: string) => (stderr += text))
  await until(() => stderr.includes('a failure pages Jane Doe'), 'the line')
  assert.equal(simulator.alerts.length, 0, 'the command still runs')
  writeFileSync(file, '')
  assert.equal((await program.ended).code, 3)
  assert.equal(simulator.alerts.length, 1)
  assert.equal(stderr.match(/failure pages/g)?.length, 1)
  assert.ok(existsSync(file))
})

test('run neither waits for the answer when its command has ended, nor complains', async () => {
  seed(LEVELS)
  simulator.behave({ endpoint: '/oncalls', behaviour: { kind: 'hang', after: 'request' } })
  const isAsked = (): boolean => paths().includes('/oncalls')
  const file = join(folder, 'asked')
  const script = `const { existsSync } = require('node:fs')
    setInterval(() => existsSync(${JSON.stringify(file)}) && process.exit(0), 10)`
  const args = ['run', '--deadline', '10m', '--timeout', '10m', '--', process.execPath, '-e', script]
  const program = startProgram(args, { env: envFor(simulator.url) })
  await until(isAsked, 'the question')
  writeFileSync(file, '')
  const { code, stderr } = await program.ended // the question alone would take ten minutes
  assert.equal(code, 0)
  assert.doesNotMatch(stderr, /failure pages/)
  assert.equal(simulator.changes.length, 1)
})

test('run --maintenance does not count its own window', async () => {
  seed(LEVELS)
  const { stderr } = await runWithRest(simulator.url, [
    'run',
    '--maintenance',
    '5',
    '--',
    process.execPath,
    '-e',
    'setTimeout(() => {}, 1500)',
  ])
  assert.doesNotMatch(stderr, /pages nobody/)
})

/** The REST API's token, service and addresses. */
function envFor(url: string): Record<string, string> {
  return {
    ...CODESHIP_PRO,
    PATH: process.env['PATH'] ?? '',
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_API_TOKEN: REST_TOKEN,
    PAGERDUTY_SERVICE_ID: 'PSHOP',
    PAGERDUTY_EVENTS_URL: url,
    PAGERDUTY_API_URL: url,
  }
}

test('doctor says whom a failure pages', async () => {
  seed(LEVELS)
  const { stdout } = await runWithRest(simulator.url, ['doctor'])
  assert.match(stdout, /^ok   on call: a failure pages Jane Doe and user PUSER3; escalates to Ann Lee$/m)
  assert.doesNotMatch(stdout, /@example/)
})

test('gate --on-call lets pass if somebody is on call, and says who', async () => {
  seed(LEVELS)
  const { code, stdout, stderr } = await runWithRest(simulator.url, ['gate', '--on-call', '--json'])
  assert.equal(code, 0)
  assert.match(stderr, /gate: on call for Shop \(PSHOP\): Jane Doe and user PUSER3; escalates to Ann Lee$/m)
  const { on_call: onCall, outcome } = JSON.parse(stdout) as Record<string, unknown>
  assert.deepEqual([onCall, outcome], ['Jane Doe and user PUSER3; escalates to Ann Lee', 'clear'])
})

test('gate --on-call ends with 1 if nobody is, even with nothing open', async () => {
  seed([])
  const { code, stdout, stderr } = await runWithRest(simulator.url, ['gate', '--on-call', '--json'])
  assert.equal(code, 1)
  assert.match(stderr, /error: gate: on call for Shop \(PSHOP\): nobody$/m)
  assert.match(stdout, /"outcome":"blocked"/)
  assert.equal(
    (await runWithRest(simulator.url, ['gate'])).code,
    0,
    'and without the option it does not matter',
  )
})

test('gate --on-call still ends with 1 for open incidents', async () => {
  const incident = { id: 'QOPEN', serviceId: 'PSHOP', title: 'Checkout is down', createdAt: ago(60_000) }
  simulator.seed(accountWith({ incidents: [incident] }))
  const { code, stderr } = await runWithRest(simulator.url, ['gate', '--on-call'])
  assert.equal(code, 1)
  assert.match(stderr, /error: gate: 1 open incident/)
  assert.match(stderr, /: gate: on call for Shop \(PSHOP\): Jane Doe$/m)
  assert.doesNotMatch(stderr, /error: gate: on call/, 'that does not close the gate')
})

test('gate --on-call --wait ends with 0 when somebody takes over', async () => {
  seed([])
  const waiting = runWithRest(simulator.url, ['gate', '--on-call', '--wait', '60s', '--json'])
  await simulator.waitForRequests(3, 60_000)
  seed(LEVELS)
  const { code, stderr } = await waiting
  assert.equal(code, 0)
  assert.match(stderr, /on call for Shop \(PSHOP\): nobody; waiting/)
})

test('gate --on-call that cannot see who is on call ends with 78, neither 0 nor 1', async () => {
  seed(LEVELS)
  simulator.behave({ endpoint: '/oncalls', behaviour: { kind: 'answer', status: 403 } })
  const { code, stderr } = await runWithRest(simulator.url, ['gate', '--on-call'])
  assert.equal(code, 78)
  assert.match(stderr, /it needs oncalls\.read/)
})
