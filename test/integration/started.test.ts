import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { shell } from '../support/deployment.ts'
import { withMoreTime } from '../support/more-time.ts'
import { CODESHIP_PRO, KEY, runProgram, startProgram, type Program, type Run } from '../support/program.ts'
import { startRelay as start, type RunningRelay } from '../support/relay.ts'
import { until } from '../support/until.ts'

const simulator = await startSimulator()
const root = mkdtempSync(join(tmpdir(), 'started-'))
let spools = 0
after(async () => {
  await simulator.close()
  rmSync(root, { recursive: true })
})
beforeEach(() => simulator.reset())

const programs: Program[] = []
afterEach(async () => {
  for (const { child } of programs) child.kill('SIGKILL')
  // Until they are gone, what they send would count for the next test.
  await Promise.all(programs.splice(0).map(({ ended }) => ended))
})

const DIRECT = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
const BUILD = { ...CODESHIP_PRO, PAGERDUTY_ENVIRONMENT: 'production', PATH: process.env['PATH'] ?? '' }
const spool = (): Record<string, string> => ({ PAGERDUTY_SPOOL: join(root, String(spools++)) })

async function startRelay(env: Record<string, string> = {}): Promise<RunningRelay> {
  const relay = await start({ ...DIRECT, ...env })
  programs.push(relay.program)
  return relay
}

const through = ({ url }: RunningRelay): Record<string, string> => ({ ...BUILD, PAGERDUTY_RELAY_URL: url })

function startRun(
  env: Record<string, string>,
  options: readonly string[],
  command: readonly string[],
): Program {
  const program = startProgram(['run', ...options, '--', ...command], { env })
  programs.push(program)
  return program
}

async function deployments({ url }: RunningRelay): Promise<Record<string, unknown>[]> {
  const answer = await fetch(`${url}/deployments`)
  return ((await answer.json()) as { deployments: Record<string, unknown>[] }).deployments
}

async function untilListed(relay: RunningRelay, state: string): Promise<Record<string, unknown>> {
  const giveUpAt = performance.now() + 60_000
  for (;;) {
    assert.ok(performance.now() < giveUpAt, `waited too long for a deployment that is ${state}`)
    const found = (await deployments(relay)).find(({ outcome }) => outcome === state)
    if (found !== undefined) return found
    await sleep(20)
  }
}

const alerts = (): { summary: string | undefined; status: string; key: string | undefined }[] =>
  simulator.alerts.map(({ event, status }) => ({
    summary: event.payload?.summary,
    status,
    key: event.dedup_key,
  }))
const NEVER = /^Deployment of acme\/shop@5f0c1d2 to production began .* and never ended$/

test('started tells the relay, prints by when the deployment has to end, and success ends it', async () => {
  const relay = await startRelay(spool())
  const env = through(relay)
  const told = await runProgram(['started', '--within', '30m', '--json'], { env })
  assert.deepEqual([told.code, told.stderr.match(/is triggered at \S+Z, unless/)?.length], [0, 1])
  const answer = JSON.parse(told.stdout) as Record<string, unknown>
  assert.deepEqual(
    [answer['command'], answer['outcome'], answer['kept'], typeof answer['due_at']],
    ['started', 'accepted', 'on disk', 'string'],
  )
  const [running] = await deployments(relay)
  assert.deepEqual([running?.['outcome'], running?.['build_id']], ['started', CODESHIP_PRO['CI_BUILD_ID']])
  assert.equal((await runProgram(['success'], { env })).code, 0)
  const [ended, more] = await deployments(relay)
  assert.deepEqual([ended?.['outcome'], ended?.['due_at'], more], ['success', undefined, undefined])
})

test('a deployment that never ends is an alert, which an outcome that is late resolves', async () => {
  const relay = await startRelay(spool())
  const env = through(relay)
  assert.equal((await runProgram(['started', '--within', '500ms'], { env })).code, 0)
  await until(() => alerts().length > 0, 'the alert')
  assert.match(alerts()[0]?.summary ?? '', NEVER)
  assert.equal((await runProgram(['success'], { env })).code, 0)
  await until(() => alerts()[0]?.status === 'resolved', 'the resolve')
})

test('a relay without a spool is asked plainly, and a start without a time warns that nothing watches it', async () => {
  const relay = await startRelay()
  const env = through(relay)
  const kept = await runProgram(['started', '--within', '1h'], { env })
  assert.match(kept.stderr, /the relay has no spool, so it forgets this when it ends/)
  const again = await runProgram(['started'], { env })
  assert.match(again.stderr, /the failure alert is triggered at/, 'the time of the first start goes on')
  const unwatched = await runProgram(['started', '--environment', 'staging'], { env })
  assert.deepEqual(
    [unwatched.code, /nothing watches the clock for it: add --within/.test(unwatched.stderr)],
    [0, true],
  )
})

test('without anything that could watch the clock, started is a usage error', async () => {
  const { code, stderr } = await runProgram(['started', '--within', '30m'], { env: { ...BUILD, ...DIRECT } })
  assert.equal(code, 64)
  assert.match(stderr, /started needs a relay \(PAGERDUTY_RELAY_URL\), a fleet \(PAGERDUTY_FLEET\), a spool/)
  const bare = { PAGERDUTY_RELAY_URL: 'http://127.0.0.1:9', PATH: BUILD.PATH }
  const unnamed = await runProgram(['started', '--within', '30m'], { env: bare })
  assert.deepEqual([unnamed.code, /set --dedup-key/.test(unnamed.stderr)], [64, true])
})

test('a relay that is away, or is something else, is told with what to do', async () => {
  const away = { ...BUILD, PAGERDUTY_RELAY_URL: 'http://127.0.0.1:9', PAGERDUTY_DEADLINE: '5s' }
  const undelivered = await runProgram(['started', '--within', '30m', '--json'], { env: away })
  assert.equal(undelivered.code, 75)
  assert.equal((JSON.parse(undelivered.stdout) as { outcome: string }).outcome, 'undelivered')
  assert.match(undelivered.stderr, /the connection was refused.*127\.0\.0\.1:9/)
  const other = { ...BUILD, PAGERDUTY_RELAY_URL: simulator.url }
  const refused = await runProgram(['started', '--within', '30m'], { env: other })
  assert.deepEqual([refused.code, /has no POST \/started/.test(refused.stderr)], [65, true])
})

test('a dry run prints the request and opens no connection', async () => {
  const env = { ...BUILD, PAGERDUTY_RELAY_URL: 'http://127.0.0.1:9' }
  const { code, stdout } = await runProgram(['started', '--within', '30m', '--dry-run'], { env })
  const request = JSON.parse(stdout) as {
    url: string
    body: { within: string; event: { dedup_key: string } }
  }
  assert.deepEqual(
    [code, request.url, request.body.within, request.body.event.dedup_key],
    [0, 'http://127.0.0.1:9/started', '1800000ms', 'deploy/acme/shop/production'],
  )
})

test('run that is killed with its command is an alert', async () => {
  const relay = await startRelay(spool())
  const run = startRun(through(relay), ['--within', '1s'], shell('sleep 60'))
  await untilListed(relay, 'started')
  run.child.kill('SIGKILL')
  await until(() => alerts().length > 0, 'the alert')
  assert.match(alerts()[0]?.summary ?? '', NEVER)
  await untilListed(relay, 'failure')
})

test('run keeps a command alive for longer than the time, and its outcome ends it', async () => {
  await withMoreTime(async (withinMs) => {
    simulator.reset()
    const relay = await startRelay(spool())
    const command = shell(`sleep ${(3 * withinMs) / 1000}`)
    const { code, stderr } = await startRun(through(relay), ['--within', `${withinMs}ms`], command).ended
    assert.equal(code, 0)
    assert.match(stderr, /--within: the relay watches the clock for this command/)
    const [record, more] = await deployments(relay)
    assert.deepEqual([record?.['outcome'], record?.['overdue'], more], ['success', undefined, undefined])
    await sleep(1.5 * withinMs)
    assert.deepEqual(alerts(), [])
  })
})

test('a relay without a spool that is started again is told again by run', async () => {
  const first = await startRelay()
  const { port } = new URL(first.url)
  const run = startRun(through(first), ['--within', '1500ms'], shell('sleep 60'))
  await untilListed(first, 'started')
  await first.stop('SIGKILL')
  const second = startProgram(['serve'], { env: { ...DIRECT, PAGERDUTY_RELAY_PORT: port } })
  programs.push(second)
  let log = ''
  second.child.stderr.on('data', (text: string) => (log += text))
  await until(() => log.includes('deployment has begun'), 'the relay to be told again')
  run.child.kill('SIGKILL')
  await until(() => alerts().length > 0, 'the alert')
  assert.match(alerts()[0]?.summary ?? '', NEVER)
})

for (const [what, script, expected] of [
  ['fails', 'exit 3', { code: 3, state: 'failure' }],
  ['is over before anything could be told', 'true', { code: 0, state: 'success' }],
] as const) {
  test(`the outcome of a command that ${what} ends its time`, async () => {
    await withMoreTime(async (withinMs) => {
      simulator.reset()
      const relay = await startRelay(spool())
      const { code } = await startRun(through(relay), ['--within', `${withinMs}ms`], shell(script)).ended
      assert.equal(code, expected.code)
      await sleep(1.5 * withinMs)
      const [record, more] = await deployments(relay)
      assert.deepEqual(
        [record?.['outcome'], record?.['overdue'], more],
        [expected.state, undefined, undefined],
      )
      assert.deepEqual(
        alerts().filter(({ summary }) => NEVER.test(summary ?? '')),
        [],
      )
    })
  })
}

test('a command that is cancelled pages nobody, then or later', async () => {
  await withMoreTime(async (withinMs) => {
    simulator.reset()
    const relay = await startRelay(spool())
    const run = startRun(through(relay), ['--within', `${withinMs}ms`], shell('sleep 60'))
    await untilListed(relay, 'started')
    run.child.kill('SIGTERM')
    assert.equal((await run.ended).code, 143)
    await untilListed(relay, 'cancelled')
    await sleep(1.5 * withinMs)
    assert.deepEqual(alerts(), [])
  })
})

test('nothing that is wrong with the relay delays a command or changes its status', async () => {
  const env = { ...BUILD, PAGERDUTY_RELAY_URL: 'http://127.0.0.1:9', PAGERDUTY_DEADLINE: '5s' }
  const unwatched = await startRun(env, ['--within', '1s'], shell('sleep 1')).ended
  assert.equal(unwatched.code, 0)
  assert.match(unwatched.stderr, /nothing watches the clock for this command now: .*refused/)
  const nowhere = await startRun({ ...BUILD, ...DIRECT }, ['--within', '1s'], ['true']).ended
  assert.deepEqual([nowhere.code, /--within has no effect: it needs a relay/.test(nowhere.stderr)], [0, true])
})

test('with a spool alone, flush notices the deployment that never ended, and a direct success ends it', async () => {
  const env = { ...BUILD, ...DIRECT, ...spool() }
  const told = await runProgram(['started', '--within', '500ms'], { env })
  assert.equal(told.code, 0)
  assert.match(told.stderr, /only a relay or flush that uses this spool watches the clock/)
  await sleep(600)
  const flushed = await runProgram(['flush'], { env })
  assert.deepEqual(
    [flushed.code, /the failure alert is triggered: Deployment of/.test(flushed.stderr)],
    [0, true],
  )
  assert.equal(alerts()[0]?.status, 'triggered')

  const other = { ...env, CI_BUILD_ID: 'another' }
  await runProgram(['started', '--within', '500ms'], { env: other })
  assert.equal((await runProgram(['success'], { env: other })).code, 0)
  assert.equal(alerts()[0]?.status, 'resolved')
  await sleep(600)
  const again: Run = await runProgram(['flush'], { env })
  assert.deepEqual([again.code, again.stderr.includes('is triggered')], [0, false])
  const listed = await runProgram(['deployments', '--json'], { env })
  const { deployments: all } = JSON.parse(listed.stdout) as { deployments: { outcome: string }[] }
  assert.deepEqual(
    all.map(({ outcome }) => outcome),
    ['success', 'failure'],
  )
})

test('with --suspended PagerDuty gets an alert that every outcome resolves', async () => {
  const env = { ...BUILD, ...DIRECT, PAGERDUTY_SUSPENDED: 'true' }
  const KEY_OF_START = 'deploy/acme/shop/production#started'
  for (const [outcome, kinds] of [
    ['success', ['change', 'resolve', 'resolve']],
    ['failure', ['resolve', 'trigger']],
  ] as const) {
    simulator.reset()
    assert.equal((await runProgram(['started'], { env })).code, 0)
    const [alert] = simulator.alerts
    assert.deepEqual(
      [alert?.event.dedup_key, alert?.event.payload?.class, alert?.status],
      [KEY_OF_START, 'deploy.started', 'triggered'],
    )
    assert.match(
      alert?.event.payload?.summary ?? '',
      / began at \d\d:\d\d UTC \(build .*\) and has not ended$/,
    )
    assert.equal((await runProgram([outcome], { env })).code, 0)
    const sent = simulator.requests
      .slice(1)
      .map(({ json }) => (json as { event_action?: string }).event_action ?? 'change')
    assert.deepEqual(sent.toSorted(), kinds)
    assert.equal(simulator.alerts.find(({ event }) => event.dedup_key === KEY_OF_START)?.status, 'resolved')
  }
})

test('run --suspended tells PagerDuty at once, and resolves that even if it is cancelled', async () => {
  const env = { ...BUILD, ...DIRECT }
  const run = startRun(env, ['--suspended'], shell('sleep 60'))
  await until(() => alerts().length > 0, 'the alert')
  run.child.kill('SIGTERM')
  await run.ended
  assert.deepEqual(
    alerts().map(({ key, status }) => [key, status]),
    [['deploy/acme/shop/production#started', 'resolved']],
  )
  simulator.reset()
  assert.equal((await startRun(env, ['--suspended'], ['true']).ended).code, 0)
  assert.ok(alerts().every(({ status }) => status === 'resolved'))
})
