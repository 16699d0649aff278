import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { createSecret } from '../../../src/core/secret.ts'
import { KEY, runProgram, startProgram } from '../../support/program.ts'
import { keyFor } from '../../support/relay.ts'
import { startTestWorker } from '../../support/worker.ts'
import { alertItem, changeItem, openTestSpool } from '../../support/spool.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const ENV = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url, PAGERDUTY_DEADLINE: '60s' }

test('flush delivers the spool itself if no relay does, in order', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  await spool.add([alertItem('trigger', 'a'), alertItem('resolve', 'a'), changeItem('c')])
  const { code, stdout, stderr } = await runProgram(['flush', '--json'], {
    env: { ...ENV, PAGERDUTY_SPOOL: directory },
  })
  assert.equal(code, 0, stderr)
  assert.deepEqual(JSON.parse(stdout), {
    command: 'flush',
    outcome: 'accepted',
    exit_code: 0,
    counts: { pending: 0, delivered: 3, dead: 0 },
    dead: [],
  })
  assert.deepEqual([simulator.alerts[0]?.status, simulator.changes.length], ['resolved', 1])
  assert.match(stderr, /spool: 0 pending, 3 delivered, 0 dead/)
})

test('flush waits for the process that delivers, and sends nothing itself', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const { seen } = startTestWorker(t, {
    spool,
    answer: async () => {
      await new Promise((resolve) => setTimeout(resolve, 700))
      return { kind: 'accepted', status: 202 }
    },
  })
  await spool.add([changeItem('c')])
  const { code } = await runProgram(['flush'], { env: { ...ENV, PAGERDUTY_SPOOL: directory } })
  assert.deepEqual([code, seen.length, simulator.requests.length, spool.counts().delivered], [0, 1, 0, 1])
})

test('at the deadline flush reports pending events and ends with 75', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  await spool.add([changeItem('c')])
  simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
  const env = { ...ENV, PAGERDUTY_SPOOL: directory, PAGERDUTY_DEADLINE: '1s' }
  const { code, stderr } = await runProgram(['flush'], { env })
  assert.equal(code, 75)
  assert.match(stderr, /not everything is delivered: spool: 1 pending, 0 delivered, 0 dead/)
})

test('flush reports what it waits for', async (t) => {
  const headers = { 'retry-after': '240' }
  simulator.behave({ behaviour: { kind: 'answer', status: 429, headers } })
  const { spool, directory } = await openTestSpool(t)
  await spool.add([alertItem('trigger', 'a')])
  const { child, ended } = startProgram(['flush'], { env: { ...ENV, PAGERDUTY_SPOOL: directory } })
  child.stderr.on('data', (text: string) => {
    if (text.includes('an attempt failed')) child.kill('SIGTERM')
  })
  const { code, stderr } = await ended
  assert.equal(code, 143)
  assert.match(
    stderr,
    /1 pending, 0 delivered, 0 dead; next attempt in \d+ (?:s|min): PagerDuty answered 429/,
  )
})

test('dead events make flush end with 65, and are named', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  await spool.add([alertItem('trigger', 'a')])
  simulator.behave({
    behaviour: { kind: 'answer', status: 400, body: '{"message":"Event object is invalid"}' },
  })
  const { code, stderr } = await runProgram(['flush'], { env: { ...ENV, PAGERDUTY_SPOOL: directory } })
  assert.equal(code, 65)
  assert.match(stderr, /error: dead: trigger of a: 400: Event object is invalid/)
})

test('a dead event is named on one line, without the key of its caller', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const key = createSecret(keyFor('caller'))
  await spool.add([alertItem('trigger', `a\n${key.reveal()}`, { kind: 'own', key })])
  simulator.behave({ behaviour: { kind: 'answer', status: 400, body: '{"message":"No"}' } })
  const { stderr } = await runProgram(['flush'], { env: { ...ENV, PAGERDUTY_SPOOL: directory } })
  assert.ok(stderr.includes(`dead: trigger of a ${key.masked()}: 400: No\n`), stderr)
})

test('flush without a relay or a spool is a usage error', async () => {
  const { code, stderr } = await runProgram(['flush'], { env: ENV })
  assert.equal(code, 64)
  assert.match(stderr, /set PAGERDUTY_RELAY_URL or PAGERDUTY_SPOOL/)
})

test('flush asks a relay until it has delivered everything', async (t) => {
  let pending = 3
  const asked: (string | undefined)[] = []
  const relay = createServer((request, response) => {
    asked.push(request.headers.authorization)
    response.end(JSON.stringify({ counts: { pending: --pending, delivered: 0, dead: 0 }, events: [] }))
  }).listen(0, '127.0.0.1')
  t.after(() => relay.close())
  await new Promise((resolve) => relay.once('listening', resolve))
  const url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`
  const env = { PAGERDUTY_RELAY_URL: url, PAGERDUTY_RELAY_TOKEN: 'relay-token-1', PAGERDUTY_DEADLINE: '60s' }
  const { code, stderr } = await runProgram(['flush'], { env })
  assert.equal(code, 0, stderr)
  assert.deepEqual(asked, ['Bearer relay-token-1', 'Bearer relay-token-1', 'Bearer relay-token-1'])
})
