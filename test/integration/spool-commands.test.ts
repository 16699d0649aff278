import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, runProgram, type Run } from '../support/program.ts'
import { alertBody, post, startRelay, type RunningRelay } from '../support/relay.ts'

const simulator = await startSimulator()
const root = mkdtempSync(join(tmpdir(), 'spool-commands-'))
const SPOOL = { PAGERDUTY_SPOOL: join(root, 'spool') }
const ENV = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url, ...SPOOL }
let relay: RunningRelay
after(async () => {
  relay.program.child.kill('SIGKILL')
  await simulator.close()
  rmSync(root, { recursive: true })
})

/** A relay whose spool has a deployment that failed, one that succeeded, and three dead events of another client. */
before(async () => {
  relay = await startRelay(ENV)
  const wait = { prefer: 'wait=30' }
  const build = (id: string): object => ({ details: { build_id: id, duration_seconds: 60 } })
  await post(`${relay.url}/failure`, build('1'), wait)
  await post(`${relay.url}/success`, build('2'), wait)
  simulator.behave({ behaviour: { kind: 'answer', status: 400, body: '{"message":"refused"}' } })
  for (const key of ['a', 'b', 'c'])
    await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: key }), wait)
  simulator.reset()
})

const WAYS: Readonly<Record<string, () => Record<string, string>>> = {
  'a relay': () => ({ PAGERDUTY_RELAY_URL: relay.url }),
  'a spool directory': () => SPOOL,
}

async function run(way: string, ...args: readonly string[]): Promise<Run> {
  return await runProgram(args, { env: { PAGERDUTY_TOKEN: KEY, ...WAYS[way]?.() } })
}

async function json(way: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(way, ...args, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as Record<string, unknown>
}

for (const way of Object.keys(WAYS)) {
  test(`spool list shows what ${way} holds, keys masked`, async () => {
    const { events, counts } = await json(way, 'spool', 'list')
    assert.deepEqual(counts, { pending: 0, delivered: 3, dead: 3 })
    const dead = (events as Record<string, unknown>[]).filter(({ status }) => status === 'dead')
    assert.deepEqual(
      dead.map(({ dedup_key: key, key: masked }) => [key, masked]),
      ['a', 'b', 'c'].map((key) => [key, '…cdef']),
    )
    const { stdout } = await run(way, 'spool', 'list')
    assert.match(stdout, /dead +\d+ +…cdef +trigger of a: /)
    assert.ok(!stdout.includes(KEY))
  })

  test(`deployments lists what ${way} remembers, the newest first`, async () => {
    const { deployments } = await json(way, 'deployments', '--since', '1d')
    const seen = (deployments as Record<string, unknown>[]).map((one) => [
      one['build_id'],
      one['outcome'],
      one['told'],
    ])
    assert.deepEqual(seen, [
      ['2', 'success', 'delivered'],
      ['1', 'failure', 'delivered'],
    ])
    assert.match((await run(way, 'deployments', '--outcome', 'failure')).stdout, /^\S+Z +failure .*\n$/)
    assert.equal((await run(way, 'deployments', '--environment', 'nowhere')).stdout, '')
  })

  test(`report counts four figures from ${way}, each with its definition`, async () => {
    const { figures } = await json(way, 'report', '--since', '2d')
    const values = (figures as { name: string; value?: number }[]).map(({ name, value }) => [name, value])
    assert.deepEqual(values.slice(0, 3), [
      ['frequency', 0.5],
      ['duration', 60],
      ['failure_share', 0.5],
    ])
    const { stdout } = await run(way, 'report')
    assert.match(stdout, /^share of failures: 50 % \(of 2; failed deployments, divided by/m)
  })
}

test('spool retry and discard change one dead event, those of a key, or all', async () => {
  const [first] = (await json('a relay', 'spool', 'list'))['events'] as { id: number; status: string }[]
  assert.equal(first?.status, 'dead')
  assert.deepEqual(await json('a spool directory', 'spool', 'discard', String(first.id)), { discarded: 1 })
  assert.deepEqual(await json('a relay', 'spool', 'discard', '…0000'), { discarded: 0 })
  const { id } = ((await json('a relay', 'spool', 'list'))['events'] as { id: number }[])[0] ?? { id: 0 }
  assert.deepEqual(await json('a relay', 'spool', 'retry', String(id)), { retried: 1 })
  await simulator.waitForRequests(1)
  assert.deepEqual(
    simulator.alerts.map(({ dedupKey }) => dedupKey),
    ['b'],
  )
  assert.deepEqual(await json('a spool directory', 'spool', 'discard', '…cdef'), { discarded: 1 })
  assert.match((await run('a relay', 'spool', 'retry')).stderr, /0 dead events are pending again/)
})

const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no action', ['spool'], /list, retry or discard/],
  ['an unknown action', ['spool', 'empty'], /list, retry or discard/],
  ['discard without a choice', ['spool', 'discard'], /the id of a dead event, a key, or all/],
  ['list of one', ['spool', 'list', '7'], /takes no argument/],
  ['a time that is none', ['report', '--since', 'yesterday'], /--since: must be like 45m/],
  ['an outcome that is none', ['deployments', '--outcome', 'great'], /--outcome: must be one of/],
]
for (const [what, args, says] of WRONG) {
  test(`${what} is a usage error, and changes nothing`, async () => {
    const { code, stderr } = await run('a relay', ...args)
    assert.deepEqual([code, says.test(stderr)], [64, true], stderr)
  })
}

test('without a relay, a spool or a fleet there is nothing to list', async () => {
  const { code, stderr } = await runProgram(['deployments'], { env: { PAGERDUTY_TOKEN: KEY } })
  assert.equal(code, 64)
  assert.match(stderr, /deployments needs a relay, a spool or a fleet: set PAGERDUTY_RELAY_URL, /)
})

test('a read-only token cannot retry, which is a wrong setting', async () => {
  const tokens = { PAGERDUTY_RELAY_TOKEN: 'may-act', PAGERDUTY_RELAY_VIEW_TOKEN: 'may-look' }
  const guarded = await startRelay({ ...ENV, PAGERDUTY_SPOOL: join(root, 'guarded'), ...tokens })
  try {
    const env = { PAGERDUTY_RELAY_URL: guarded.url, PAGERDUTY_RELAY_TOKEN: 'may-look' }
    const { code, stderr } = await runProgram(['spool', 'retry'], { env })
    assert.equal(code, 78, stderr)
    assert.match(stderr, /the relay requires its bearer token: set PAGERDUTY_RELAY_TOKEN/)
  } finally {
    guarded.program.child.kill('SIGKILL')
  }
})
