import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, runProgram } from '../../support/program.ts'

const MAIN = fileURLToPath(new URL('../../../tools/simulator/main.ts', import.meta.url))

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' })
}

test('--help says how it is used', () => {
  const { status, stdout, stderr } = run('--help')
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /^usage: npm run simulator/)
})

test('a mistake in the command line is one sentence, and the usage', () => {
  for (const args of [
    ['--prot', '1'],
    ['--port', 'http'],
    ['--port', '65536'],
  ]) {
    const { status, stdout, stderr } = run(...args)
    assert.deepEqual([status, stdout], [64, ''])
    assert.match(stderr, /--pr?o/)
    assert.match(stderr, /\n\nusage: /)
    assert.doesNotMatch(stderr, /^ +at /m)
  }
})

test('a port that is in use is reported', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const child = spawn(process.execPath, [MAIN, '--port', String(simulator.port)])
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const status = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(status, 64)
  assert.match(said, new RegExp(`^another program uses port ${simulator.port}\n`))
})

test('it says where it listens, and ends on SIGTERM with 0', async () => {
  const child = spawn(process.execPath, [MAIN])
  const ended = new Promise((resolve) => child.once('close', resolve))
  for await (const line of createInterface(child.stdout)) {
    const url = /^PagerDuty simulator on (http:\S+)$/.exec(line)?.[1]
    assert.ok(url)
    assert.equal((await fetch(`${url}/v2/enqueue`, { method: 'POST', body: '{}' })).status, 400)
    break
  }
  child.kill('SIGTERM')
  assert.equal(await ended, 0)
})

test('what it prints, pasted, is enough for events and for the REST API', async (t) => {
  const child = spawn(process.execPath, [MAIN])
  t.after(() => child.kill())
  const env: Record<string, string> = {}
  for await (const line of createInterface(child.stdout)) {
    for (const [, name = '', value = ''] of line.matchAll(/(PAGERDUTY_\w+)=(\S+)/g)) env[name] = value
    if ('PAGERDUTY_SERVICE_ID' in env) break
  }
  const statusOf = async (...args: string[]): Promise<number | null> =>
    (await runProgram(args, { env: { ...CODESHIP_PRO, ...env } })).code
  assert.equal(await statusOf('gate'), 0)
  assert.equal(await statusOf('failure'), 0)
  assert.equal(await statusOf('gate'), 1)
  await delay(1100) // incidents of the same second may be the deployment's own, and get no note
  assert.equal(await statusOf('failure', '--note'), 0)
  assert.equal(await statusOf('success'), 0)
  assert.equal(await statusOf('gate'), 0)
  assert.equal(await statusOf('run', '--maintenance', '5', '--', 'true'), 0)
  const state = await (await fetch(`${env['PAGERDUTY_API_URL']}/_simulator/state`)).text()
  const { rest, alerts } = JSON.parse(state) as {
    rest: { notes: object[]; windows: object[] }
    alerts: object[]
  }
  assert.deepEqual([alerts.length, rest.notes.length, rest.windows.length], [1, 1, 1])
})
