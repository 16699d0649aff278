import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { isAlive, shell, startDeployments } from '../../support/deployment.ts'
import { until } from '../../support/until.ts'

const { simulator, watch, start, sent, details } = await startDeployments()
const folder = mkdtempSync(join(tmpdir(), 'run-'))
after(async () => {
  await simulator.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => simulator.reset())

for (const [signal, status] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} ends the command and its children, and is reported as a change event`, async () => {
    const { child, ended } = start(shell('sleep 1000 & echo $!; echo $$; wait'))
    let pids = ''
    child.stdout.on('data', (text: string) => (pids += text))
    await until(() => pids.split('\n').length > 2, 'the process ids')
    child.kill(signal)
    const { code } = await ended
    assert.equal(code, status)
    assert.deepEqual(sent(), ['change'])
    assert.match(simulator.changes[0]?.payload.summary ?? '', /was cancelled/)
    for (const pid of pids.trim().split('\n')) assert.ok(!isAlive(Number(pid)), `process ${pid} is left`)
  })
}

test('a signal that arrives as soon as the command has started is passed on', async () => {
  for (const [signal, status] of [
    ['QUIT', 131],
    ['USR2', 140],
    ['ALRM', 142],
  ] as const) {
    simulator.reset()
    const { code } = await watch(shell(`kill -${signal} $PPID; sleep 1000`))
    assert.deepEqual([code, sent()], [status, ['change']], signal)
  }
})

test('after a signal the command may still clean up, and a child that ignores the signal is not left behind', async () => {
  const done = join(folder, 'cleaned')
  const script = `trap 'sleep 0.3; echo x > "${done}"; exit 5' TERM; (trap '' TERM; sleep 1000) & echo $!; while :; do sleep 0.05; done`
  const { child, ended } = start(shell(script))
  const [pid] = (await once(child.stdout, 'data')) as [string]
  child.kill('SIGTERM')
  assert.equal((await ended).code, 5)
  assert.ok(existsSync(done))
  assert.ok(!isAlive(Number(pid.trim())))
  assert.deepEqual([sent(), details().exit_code], [['change'], 5])
})

test('every signal is passed on, the second one too', async () => {
  const script = `n=0; trap 'n=$((n+1)); echo $n; [ $n -lt 2 ] || exit 9' TERM; echo up; while :; do sleep 0.05; done`
  const { child, ended } = start(shell(script))
  let printed = ''
  child.stdout.on('data', (text: string) => (printed += text))
  for (const awaited of ['up', '1']) {
    await until(() => printed.includes(awaited), awaited)
    child.kill('SIGTERM')
  }
  assert.equal((await ended).code, 9)
  assert.deepEqual(sent(), ['change'])
})

test('a cancelled command that takes its time is reported before it ends, and still waited for', async () => {
  const done = join(folder, 'done')
  const trap = `until [ -e "${done}" ]; do sleep 0.05; done; exit 0`
  const { child, ended } = start(shell(`trap '${trap}' TERM; echo up; while :; do sleep 0.05; done`))
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  await simulator.waitForRequests(1)
  assert.equal(child.exitCode, null)
  writeFileSync(done, '')
  assert.equal((await ended).code, 0)
  assert.deepEqual(sent(), ['change'])
})

test('the report of a cancelled command that nobody takes is given up in time for Docker', async () => {
  simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
  const { child, ended } = start(shell('echo up; sleep 1000'))
  await once(child.stdout, 'data')
  const signalledAt = performance.now()
  child.kill('SIGTERM')
  assert.equal((await ended).code, 143)
  assert.ok(performance.now() - signalledAt < 45_000, 'not the 60 s of the deadline')
})

test('a signal while only the report is left ends the report, and the status stays that of the command', async () => {
  for (const status of [0, 3]) {
    simulator.reset()
    simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
    const { child, ended } = start(shell(`exit ${status}`))
    await simulator.waitForRequests(1)
    child.kill('SIGTERM')
    child.kill('SIGINT')
    const { code, durationMs } = await ended
    assert.equal(code, status)
    assert.ok(durationMs < 45_000, 'not the 60 s of the deadline')
  }
})

test('a signal that the command gets from elsewhere is its failure, and not a cancellation', async () => {
  assert.equal((await watch(shell('kill -TERM $$'))).code, 143)
  assert.deepEqual(sent(), ['trigger'])
})
