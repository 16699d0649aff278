import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, test, type TestContext } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, runProgram, startProgram } from '../../support/program.ts'
import { openTestSpool, temporaryDirectory } from '../../support/spool.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const DOWN = { kind: 'answer', status: 503 } as const
/** Its wait is longer than any deadline here, so a command does not try again. */
const DOWN_FOR_LONG = { ...DOWN, headers: { 'retry-after': '300' } } as const

function environment(directory: string): Record<string, string> {
  return {
    ...CODESHIP_PRO,
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_EVENTS_URL: simulator.url,
    PAGERDUTY_SPOOL: directory,
    PAGERDUTY_DEADLINE: '3s',
  }
}

/** The same for what must be delivered, however slow the machine is. */
function withTime(directory: string): Record<string, string> {
  return { ...environment(directory), PAGERDUTY_DEADLINE: '60s' }
}

/** What a spool holds as pending: `trigger` or `change`, with the attempts made. */
async function pendingIn(t: TestContext, directory: string): Promise<string[]> {
  const { spool } = await openTestSpool(t, { directory })
  return spool.list('pending', 100).map(({ action, kind }) => action ?? kind)
}

test('an event that is delivered at once is never kept', async (t) => {
  const directory = join(temporaryDirectory(t), 'spool')
  const { code } = await runProgram(['failure'], { env: withTime(directory) })
  assert.deepEqual([code, existsSync(directory)], [0, false])
})

test('an event that cannot be delivered in time is kept, and the command succeeds and says so', async (t) => {
  const directory = temporaryDirectory(t)
  simulator.behave({ behaviour: DOWN_FOR_LONG })
  const { code, stdout, stderr } = await runProgram(['failure', '--json'], { env: withTime(directory) })
  assert.equal(code, 0, stderr)
  const { outcome, exit_code: exitCode, events } = JSON.parse(stdout) as Record<string, { outcome: string }[]>
  assert.deepEqual([outcome, exitCode, events?.[0]?.outcome], ['queued', 0, 'queued'])
  assert.match(stderr, /kept in the spool \(503: Service Unavailable\); flush or a relay delivers it/)
  assert.deepEqual(await pendingIn(t, directory), ['trigger'])
})

test('an event that fails once is delivered from the spool, which is empty after that', async (t) => {
  const directory = temporaryDirectory(t)
  simulator.behave({ behaviour: DOWN, times: 1 })
  const { code, stderr } = await runProgram(['failure'], { env: withTime(directory) })
  assert.equal(code, 0)
  assert.match(
    stderr,
    /trigger of deploy\/acme\/shop\/master: attempt 1 failed: 503: Service Unavailable; next try in /,
  )
  assert.match(stderr, /trigger of deploy\/acme\/shop\/master: accepted \(202\)/)
  assert.equal(simulator.alerts.length, 1)
  assert.deepEqual(await pendingIn(t, directory), [])
})

test('a refused event is not queued', async (t) => {
  const directory = temporaryDirectory(t)
  simulator.behave({ behaviour: { kind: 'answer', status: 400 } })
  assert.equal((await runProgram(['failure'], { env: withTime(directory) })).code, 65)
  assert.deepEqual(await pendingIn(t, directory), [])
})

test('an event in the spool that is refused fails the command, and stays there as dead', async (t) => {
  const directory = temporaryDirectory(t)
  const env = withTime(directory)
  simulator.behave({ behaviour: DOWN, times: 1 })
  simulator.behave({ behaviour: { kind: 'answer', status: 400, body: '{"message":"no such service"}' } })
  const { code, stderr } = await runProgram(['failure'], { env })
  assert.equal(code, 65)
  assert.match(stderr, /refused with 400: no such service/)
  const flushed = await runProgram(['flush'], { env })
  assert.equal(flushed.code, 65)
  assert.match(flushed.stderr, /dead: trigger of deploy\/acme\/shop\/master: 400: no such service/)
})

test('a success does not overtake the failure that is still in the spool', async (t) => {
  const directory = temporaryDirectory(t)
  simulator.behave({ behaviour: DOWN })
  assert.equal((await runProgram(['failure'], { env: environment(directory) })).code, 0)
  simulator.reset()
  const patient = { ...environment(directory), PAGERDUTY_DEADLINE: '60s' } // the trigger's next attempt may be seconds away
  assert.equal((await runProgram(['success'], { env: patient })).code, 0)
  const actions = simulator.requests.flatMap(({ json }) => {
    const { event_action: action } = json as { event_action?: string }
    return action === undefined ? [] : [action]
  })
  assert.deepEqual(actions, ['trigger', 'resolve'])
  assert.deepEqual([simulator.alerts[0]?.status, simulator.changes.length], ['resolved', 1])
  assert.deepEqual(await pendingIn(t, directory), [])
})

test('an event is on disk while it is retried, whatever ends the process', async (t) => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const directory = temporaryDirectory(t)
    simulator.reset()
    simulator.behave({ behaviour: { kind: 'answer', status: 503, headers: { 'retry-after': '2' } } })
    const env = { ...environment(directory), PAGERDUTY_DEADLINE: '60s' }
    const { child, ended } = startProgram(['failure'], { env })
    await simulator.waitForRequests(1)
    while (!existsSync(join(directory, 'deliver.lock'))) {
      assert.equal(child.exitCode, null)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    child.kill(signal)
    const { code } = await ended
    assert.equal(code, signal === 'SIGKILL' ? null : 143)
    assert.deepEqual(await pendingIn(t, directory), ['trigger'])
  }
})

test('an untrusted certificate is not retried: the event is kept', async (t) => {
  const directory = temporaryDirectory(t)
  const { LOCALHOST_TLS } = await import('../../../tools/simulator/localhost-tls.ts')
  const secure = await startSimulator({ tls: LOCALHOST_TLS })
  t.after(() => secure.close())
  const env = { ...environment(directory), PAGERDUTY_EVENTS_URL: secure.url, PAGERDUTY_DEADLINE: '60s' }
  const { code, durationMs, stderr } = await runProgram(['failure'], { env })
  assert.equal(code, 0, stderr)
  assert.ok(durationMs < 45_000, `${durationMs} ms`)
  assert.deepEqual(await pendingIn(t, directory), ['trigger'])
})

test('a spool that could not be created is reported even if PagerDuty answers', async (t) => {
  const parent = temporaryDirectory(t)
  writeFileSync(join(parent, 'file'), '')
  const reasons = {
    [join(parent, 'file')]: 'a part of its path is not a directory',
    [join(parent, 'd'.repeat(200), 'd'.repeat(200), 'd'.repeat(200))]:
      'its path is too long; SQLite allows 490 bytes',
  }
  for (const [directory, reason] of Object.entries(reasons)) {
    simulator.reset()
    const { code, stderr } = await runProgram(['failure'], { env: environment(directory) })
    assert.equal(code, 0, stderr)
    assert.ok(
      stderr.includes(`warning: the spool cannot be created in PAGERDUTY_SPOOL: ${reason}; nothing could be`),
    )
    assert.equal(simulator.alerts.length, 1)
  }
  const { code, stderr } = await runProgram(['failure'], { env: environment(join(parent, 'new', 'spool')) })
  assert.deepEqual([code, stderr.includes('warning:')], [0, false], stderr)
  assert.equal(existsSync(join(parent, 'new')), false)
})

test('a spool that accepts nothing is reported, and the event is retried without it', async (t) => {
  const directory = join(temporaryDirectory(t), 'file')
  writeFileSync(directory, '')
  simulator.behave({ behaviour: DOWN, times: 1 })
  const { code, stderr } = await runProgram(['failure'], { env: withTime(directory) })
  assert.equal(code, 0, stderr)
  assert.match(
    stderr,
    /warning: the spool cannot be created in PAGERDUTY_SPOOL: a part of its path is not a directory/,
  )
  assert.equal(simulator.alerts.length, 1)

  const full = join(temporaryDirectory(t), 'full')
  mkdirSync(full)
  simulator.behave({ behaviour: DOWN })
  const kept = await runProgram(['failure'], { env: { ...environment(full), PAGERDUTY_SPOOL_LIMIT: '0' } })
  assert.equal(kept.code, 75)
  assert.match(kept.stderr, /the spool is full \(0 events\)/)
})

const RESOLVE = ['resolve', '--dedup-key', 'deploy/acme/shop/master']
const actionsTried = (): unknown[] =>
  simulator.requests.map(({ json }) => (json as { event_action?: string }).event_action)

test('a resolve that a full spool does not take waits for its trigger, and goes after it', async (t) => {
  const directory = temporaryDirectory(t)
  const env = { ...environment(directory), PAGERDUTY_SPOOL_LIMIT: '1' }
  simulator.behave({ behaviour: DOWN, times: 3 })
  await runProgram(['failure'], { env: { ...env, PAGERDUTY_DEADLINE: '1ms' } })
  assert.deepEqual(await pendingIn(t, directory), ['trigger'])
  const { code, stderr } = await runProgram(RESOLVE, { env: { ...env, PAGERDUTY_DEADLINE: '60s' } })
  assert.equal(code, 0, stderr)
  assert.equal(simulator.alerts[0]?.status, 'resolved')
  assert.equal(actionsTried().at(-1), 'resolve')
  assert.equal(actionsTried().filter((action) => action === 'resolve').length, 1)
})

test('a resolve that a full spool does not take is never tried while its trigger fails', async (t) => {
  const directory = temporaryDirectory(t)
  const env = { ...environment(directory), PAGERDUTY_SPOOL_LIMIT: '1' }
  simulator.behave({ behaviour: DOWN })
  await runProgram(['failure'], { env })
  const { code, stderr } = await runProgram(RESOLVE, { env })
  assert.equal(code, 75, stderr)
  assert.match(stderr, /an earlier event of the same alert is still waiting/)
  assert.ok(actionsTried().every((action) => action === 'trigger'))
  assert.deepEqual(await pendingIn(t, directory), ['trigger'])
})
