import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareFleetRelays } from '../../support/fleet-relays.ts'
import { claimAll, fleetItem, openTestFleet } from '../../support/fleet.ts'
import { CODESHIP_PRO, runProgram, type Run } from '../../support/program.ts'
import { alertItem } from '../../support/spool.ts'
import { until } from '../../support/until.ts'

const { skip, cluster, fleet, url } = await shareFleetRelays()

/** Runs a command with a fleet, and with a spool of this name. */
async function run(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  return await runProgram([...args, '--json'], { env: { ...fleet?.environment(name), ...env } })
}
const received = (): string[] =>
  (fleet?.simulator.requests ?? []).map(({ body }) => {
    const { event_action: action, dedup_key: alert } = JSON.parse(body.toString()) as Record<string, string>
    return `${action} ${alert}`
  })
const outcomeOf = ({ stdout }: Run): unknown => (JSON.parse(stdout) as { outcome: unknown }).outcome
const resolve = (name: string, alert: string, ...more: string[]): Promise<Run> =>
  run(name, ['resolve', '--dedup-key', alert, ...more])
const trigger = (name: string, alert: string, ...more: string[]): Promise<Run> =>
  run(name, ['failure', '--dedup-key', alert, ...more])

test('a command does not overtake an event of its alert that waits in the fleet', { skip }, async (t) => {
  const other = openTestFleet(t, url, 'other')
  await other.add([fleetItem(alertItem('trigger', 'a'))])
  const ended = await resolve('behind', 'a')
  assert.deepEqual([ended.code, outcomeOf(ended)], [0, 'accepted'], ended.stderr)
  assert.deepEqual(received(), ['trigger a', 'resolve a'])
  assert.equal(await other.pending('all'), 0)
})

test('what must wait for another relay is in the fleet when the command ends', { skip }, async (t) => {
  const other = openTestFleet(t, url, 'other')
  await other.add([fleetItem(alertItem('trigger', 'a'))])
  await claimAll(other) // it owns the key, and delivers nothing
  const ended = await resolve('waiting', 'a', '--deadline', '3s')
  assert.deepEqual([ended.code, outcomeOf(ended)], [0, 'queued'], ended.stderr)
  assert.match(ended.stderr, /an earlier event of the same alert is still waiting in the fleet/)
  assert.deepEqual(received(), [])
  const waiting = await other.find({ statuses: ['pending'], limit: 10 })
  assert.deepEqual(
    waiting.map(({ action, dedupKey }) => `${action} ${dedupKey}`),
    ['resolve a', 'trigger a'],
  )
})

test('an event of an alert with nothing in the fleet is sent at once', { skip }, async (t) => {
  const other = openTestFleet(t, url, 'other')
  await other.add([fleetItem(alertItem('trigger', 'a'))])
  await claimAll(other)
  const ended = await resolve('free', 'b', '--deadline', '30s')
  assert.equal(outcomeOf(ended), 'accepted', ended.stderr)
  assert.deepEqual(received(), ['resolve b'])
})

test(
  'an event that PagerDuty does not take is delivered by the fleet after the command',
  { skip },
  async (t) => {
    fleet?.simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
    const failed = await trigger('undelivered', 'a', '--deadline', '3s')
    assert.deepEqual([failed.code, outcomeOf(failed)], [0, 'queued'], failed.stderr)
    const other = openTestFleet(t, url, 'other')
    assert.equal(await other.pending('all'), 1)
    fleet?.simulator.reset()
    await fleet?.start('relay')
    await until(() => received().includes('trigger a'), 'a relay delivers it')
  },
)

test('what a relay moves out of a shared spool does not count as delivered', { skip }, async (t) => {
  await fleet?.start('shared')
  fleet?.simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
  const ended = await trigger('shared', 'a', '--deadline', '5s')
  assert.deepEqual([ended.code, outcomeOf(ended)], [0, 'queued'], ended.stderr)
  const other = openTestFleet(t, url, 'other')
  await until(async () => (await other.pending('all')) === 1, 'it is in the fleet')
})

test(
  'without the database a trigger is sent, and a resolve waits in the spool until it is back',
  { skip },
  async () => {
    const primary = cluster?.primary()
    await primary?.kill()
    try {
      assert.equal(outcomeOf(await trigger('away', 'a')), 'accepted')
      const ended = await resolve('away', 'b', '--deadline', '5s')
      assert.deepEqual([ended.code, outcomeOf(ended)], [0, 'queued'], ended.stderr)
      assert.match(ended.stderr, /the fleet’s database cannot be queried: /)
      assert.deepEqual(received(), ['trigger a'])
    } finally {
      await primary?.start()
    }
    const flushed = await run('away', ['flush'])
    assert.equal(flushed.code, 0, flushed.stderr)
    assert.deepEqual(received(), ['trigger a', 'resolve b'])
  },
)

test('flush --all waits for what every relay has put into the fleet', { skip }, async (t) => {
  const other = openTestFleet(t, url, 'other')
  await other.add([fleetItem(alertItem('trigger', 'a'))])
  await claimAll(other)
  const countsOf = ({ stdout }: Run): unknown => (JSON.parse(stdout) as { counts: unknown }).counts
  const own = await run('flushing', ['flush', '--deadline', '30s'])
  assert.deepEqual([own.code, countsOf(own)], [0, { pending: 0, delivered: 0, dead: 0 }], own.stderr)
  const all = await run('flushing', ['flush', '--all', '--deadline', '3s'])
  assert.deepEqual([all.code, countsOf(all)], [75, { pending: 1, delivered: 0, dead: 0 }], all.stderr)
  await other.release()
  const later = await run('flushing', ['flush', '--all', '--deadline', '60s'])
  assert.deepEqual([later.code, countsOf(later)], [0, { pending: 0, delivered: 1, dead: 0 }], later.stderr)
  assert.deepEqual(received(), ['trigger a'])
})

test('a relay of the fleet knows what a command has sent directly', { skip }, async (t) => {
  const other = openTestFleet(t, url, 'other')
  const ended = await run('record', ['success'], CODESHIP_PRO)
  assert.equal(ended.code, 0, ended.stderr)
  const [deployment] = await other.deployments({ limit: 10 })
  assert.equal(deployment?.state, 'success')
})

test(
  'with only a fleet, flush --all waits for its relays, and flush says what it needs',
  { skip },
  async (t) => {
    if (fleet === undefined) return
    const only = { PAGERDUTY_FLEET: url, PAGERDUTY_SPOOL: '' }
    const own = await runProgram(['flush'], { env: only })
    assert.equal(own.code, 64)
    assert.match(
      own.stderr,
      /set PAGERDUTY_SPOOL or PAGERDUTY_RELAY_URL, or wait for all of them with flush --all/,
    )
    const other = openTestFleet(t, url, 'other')
    await other.add([fleetItem(alertItem('trigger', 'a'))])
    await until(
      async () => {
        const { code, stderr } = await runProgram(['flush', '--all', '--deadline', '1s'], { env: only })
        assert.equal(code, 75, stderr)
        return /fleet: 1 pending, .*; no relay uses the fleet now: start one/.test(stderr)
      },
      'it says that there is no relay',
      60_000,
    )
    const flushing = runProgram(['flush', '--all', '--deadline', '60s'], { env: only })
    await fleet.start('one')
    const { code, stderr } = await flushing
    assert.equal(code, 0, stderr)
    assert.deepEqual(received(), ['trigger a'])
  },
)
