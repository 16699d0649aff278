import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareFleetRelays } from '../../support/fleet-relays.ts'
import { claimAll, fleetItem, openTestFleet, PASSWORD } from '../../support/fleet.ts'
import { CODESHIP_PRO, runProgram, type Run } from '../../support/program.ts'
import { alertItem } from '../../support/spool.ts'

const { skip, cluster, fleet, url } = await shareFleetRelays()

/** Runs a command with a fleet and nothing else, as in a build. */
async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  const { PAGERDUTY_SPOOL: _spool, ...rest } = fleet?.environment('') ?? {}
  return await runProgram([...args, '--json'], { env: { ...rest, ...env } })
}
const answerOf = ({ stdout }: Run): Record<string, unknown[]> =>
  JSON.parse(stdout) as Record<string, unknown[]>
const actions = (): unknown[] =>
  (fleet?.simulator.requests ?? []).map(
    ({ body }) => (JSON.parse(body.toString()) as { event_action?: string }).event_action ?? 'change',
  )
const build = (id: string): Record<string, string> => ({ ...CODESHIP_PRO, CI_BUILD_ID: id })

test('failures in a row are counted over the fleet, and a success starts again', { skip }, async () => {
  const fail = (id: string): Promise<Run> => run(['failure', '--after', '2'], build(id))
  for (const [id, expected] of [
    ['1', 'change'],
    ['2', 'trigger'],
  ] as const) {
    const { code, stderr } = await fail(id)
    assert.equal(code, 0, stderr)
    assert.equal(actions().at(-1), expected)
  }
  assert.equal((await run(['success'], build('3'))).code, 0)
  assert.equal((await fail('4')).code, 0)
  assert.equal(actions().at(-1), 'change')
})

test('deployments and report read what any command has told the fleet', { skip }, async () => {
  for (const id of ['1', '2']) assert.equal((await run(['success'], build(id))).code, 0)
  const listed = await run(['deployments'])
  assert.equal(listed.code, 0, listed.stderr)
  assert.equal(answerOf(listed)['deployments']?.length, 2)
  const counted = await run(['report'])
  assert.equal(counted.code, 0, counted.stderr)
  assert.equal((answerOf(counted) as { figures: { count: number }[] }).figures[0]?.count, 2)
})

test('spool list shows the fleet’s events, retry and discard change them', { skip }, async (t) => {
  const other = openTestFleet(t, url, 'other')
  await other.add([
    fleetItem(alertItem('trigger', 'a')),
    fleetItem(alertItem('trigger', 'b'), {
      settled: { kind: 'dead', attempts: 1, cause: 'refused', reason: 'no', httpStatus: 400 },
    }),
  ])
  await claimAll(other)
  const listed = await run(['spool', 'list'])
  assert.equal(listed.code, 0, listed.stderr)
  assert.deepEqual(answerOf(listed)['counts'], { pending: 1, delivered: 0, dead: 1 })
  const events = answerOf(listed)['events'] as Record<string, unknown>[]
  assert.deepEqual(
    events.map(({ dedup_key: alert, status, origin }) => [alert, status, origin]),
    [
      ['a', 'pending', 'other'],
      ['b', 'dead', 'other'],
    ],
  )
  assert.deepEqual(answerOf(await run(['spool', 'retry', String(events[1]?.['id'])])), { retried: 1 })
  assert.deepEqual(answerOf(await run(['spool', 'discard', 'all'])), { discarded: 0 })
  assert.equal(await other.pending('all'), 2)
})

test('without the database a list is of the spool alone, and says so with 75', { skip }, async () => {
  const env = fleet?.environment('own') ?? {}
  assert.equal((await run(['spool', 'list'], env)).code, 0) // makes the spool
  const primary = cluster?.primary()
  await primary?.kill()
  try {
    assert.equal((await run(['success', '--resolve', 'never'], { ...build('1'), ...env })).code, 0)
    for (const command of ['deployments', 'report', 'spool list']) {
      const { code, stderr, stdout } = await run(command.split(' '), env)
      assert.equal(code, 75, stderr)
      assert.match(
        stderr,
        /the fleet’s database cannot be queried: 127\.0\.0\.1:\d+: .*; this is only what the spool in /,
      )
      assert.match(String(answerOf({ stdout } as Run)['incomplete']), /cannot be queried/)
    }
    assert.equal(answerOf(await run(['deployments'], env))['deployments']?.length, 1)
    const retried = await run(['spool', 'retry'], env)
    assert.equal(retried.code, 75, retried.stderr)
    const alone = await run(['deployments'])
    assert.equal(alone.code, 75, alone.stderr)
    assert.match(alone.stderr, /the fleet’s database cannot be queried: /)
    // A spool knows only its own failures, so this one pages.
    const failed = await run(['failure', '--after', '3'], { ...build('2'), ...env })
    assert.equal(failed.code, 0, failed.stderr)
    assert.match(failed.stderr, /failures are not counted, so this one pages: /)
    assert.equal(actions().at(-1), 'trigger')
  } finally {
    await primary?.start()
  }
})

test('what only an operator can change makes a list and flush fail with 78', { skip }, async () => {
  const spool = { PAGERDUTY_SPOOL: fleet?.environment('own')['PAGERDUTY_SPOOL'] ?? '' }
  const wrong = { PAGERDUTY_FLEET: cluster?.url('relay', 'wrong') ?? '' }
  const viewer = { PAGERDUTY_FLEET: cluster?.url('viewer', PASSWORD) ?? '' }
  for (const [command, env, reason] of [
    ['deployments', wrong, /the user or the password is wrong \(28P01\)/],
    ['deployments', { ...wrong, ...spool }, /is wrong \(28P01\); this is only what the spool in /],
    ['deployments', viewer, /GRANT pagerduty_relay TO it/],
    ['flush', { ...wrong, ...spool }, /the user or the password is wrong \(28P01\)/],
    ['flush', { ...viewer, ...spool }, /GRANT pagerduty_relay TO it/],
  ] as const) {
    const { code, stderr } = await run([command], env)
    assert.equal(code, 78, stderr)
    assert.match(stderr, reason)
  }
})

test('without a spool an event that PagerDuty does not take is kept in the fleet', { skip }, async (t) => {
  fleet?.simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
  const ended = await run(['success', '--deadline', '3s'], build('1'))
  assert.equal(ended.code, 0, ended.stderr)
  assert.match(ended.stderr, /kept in the fleet \(.*\); its relays deliver it/)
  const other = openTestFleet(t, url, 'other')
  assert.equal(await other.pending('all'), 2)
  const [deployment] = await other.deployments({ limit: 10 })
  assert.deepEqual([deployment?.state, deployment?.eventIds.length], ['success', 2])
})

test('without a spool an event goes behind one of its alert that waits in the fleet', { skip }, async (t) => {
  const other = openTestFleet(t, url, 'other')
  await other.add([fleetItem(alertItem('trigger', 'a'))])
  await claimAll(other)
  const ended = await run(['resolve', '--dedup-key', 'a', '--deadline', '30s'])
  assert.deepEqual([ended.code, ended.stderr.includes('kept in the fleet')], [0, true], ended.stderr)
  assert.deepEqual(actions(), [])
  assert.equal(await other.pending('all'), 2)
})
