import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareFleetRelays } from '../../support/fleet-relays.ts'
import { openTestFleet } from '../../support/fleet.ts'
import { CODESHIP_PRO, runProgram, startProgram, type Run } from '../../support/program.ts'
import { post } from '../../support/relay.ts'
import { openTestSpool } from '../../support/spool.ts'
import { until } from '../../support/until.ts'

const { skip, cluster, fleet, url } = await shareFleetRelays()

/** The variables of a build, with the fleet, and with a spool of this name if there is one. */
function build(spool?: string): Record<string, string> {
  const { PAGERDUTY_SPOOL: directory = '', ...rest } = fleet?.environment(spool ?? '') ?? {}
  return { ...CODESHIP_PRO, ...rest, ...(spool !== undefined && { PAGERDUTY_SPOOL: directory }) }
}
const run = (command: string, env: Record<string, string>): Promise<Run> =>
  runProgram(command.split(' '), { env })
const summaries = (): unknown[] => fleet?.simulator.alerts.map(({ event }) => event.payload?.summary) ?? []
const isTriggered = (): boolean => summaries().some((summary) => String(summary).endsWith('and never ended'))
/** Runs something while the database is away. */
async function away(work: () => Promise<void>): Promise<void> {
  const primary = cluster?.primary()
  await primary?.kill()
  try {
    await work()
  } finally {
    await primary?.start()
  }
}

test('started puts the deadline into the fleet, where any relay triggers it', { skip }, async () => {
  const told = await run('started --within 1s', build())
  assert.equal(told.code, 0, told.stderr)
  assert.match(told.stderr, /the failure alert is triggered at /)
  await fleet?.start('any')
  await until(isTriggered, 'the alert is triggered')
})

test('an outcome that a command reports ends the deadline in the fleet', { skip }, async (t) => {
  const engine = openTestFleet(t, url, 'other')
  assert.equal((await run('started --within 1h', build())).code, 0)
  await engine.deadlines.expire()
  assert.deepEqual(engine.deadlines.counts(), { open: 1, overdue: 0 })
  assert.equal((await run('success', build())).code, 0)
  await engine.deadlines.expire()
  assert.deepEqual(engine.deadlines.counts(), { open: 0, overdue: 0 })
})

test('run --within tells the fleet', { skip }, async (t) => {
  const engine = openTestFleet(t, url, 'other')
  const stateOf = async (): Promise<unknown> => (await engine.deployments({ limit: 1 }))[0]?.state
  const { child, ended } = startProgram(['run', '--within', '1h', '--', 'cat'], {
    env: { ...build(), PATH: process.env['PATH'] ?? '' },
    isStdinOpen: true,
  })
  await until(async () => (await stateOf()) === 'started', 'it runs')
  child.stdin.end()
  const { code, stderr } = await ended
  assert.equal(code, 0, stderr)
  assert.match(stderr, /--within: the relays of the fleet watch the clock for this command/)
  assert.equal(await stateOf(), 'success')
})

test(
  'a deadline that a spool keeps while the database is away moves to the fleet, however it ends',
  { skip },
  async (t) => {
    await away(async () => {
      for (const id of ['1', '2']) {
        const told = await run('started --within 1h', { ...build('kept'), CI_BUILD_ID: id })
        assert.equal(told.code, 0, told.stderr)
        assert.match(
          told.stderr,
          /the fleet’s database cannot be queried: .*; the spool keeps the deployment’s start/,
        )
        assert.match(told.stderr, /only a relay or flush that uses this spool watches the clock/)
      }
    })
    // The outcome of the first comes from a machine that does not have that spool.
    assert.equal((await run('success', { ...build(), CI_BUILD_ID: '1' })).code, 0)
    const flushed = await run('flush', build('kept'))
    assert.equal(flushed.code, 0, flushed.stderr)
    const engine = openTestFleet(t, url, 'other')
    await engine.deadlines.expire()
    assert.deepEqual(engine.deadlines.counts(), { open: 1, overdue: 0 })
    const { spool } = await openTestSpool(t, { directory: build('kept')['PAGERDUTY_SPOOL'] ?? '' })
    assert.deepEqual(spool.deadlines.counts(), { open: 0, overdue: 0 })
    assert.deepEqual(spool.forwarding.deadlines(10), [])
  },
)

test(
  'a relay watches the clock while the database is away, and triggers when it is alone',
  { skip },
  async () => {
    await away(async () => {
      const relay = await fleet?.start('alone', { ...CODESHIP_PRO, PAGERDUTY_FLEET_ALONE: '1s' })
      const answer = await post(`${relay?.url}/started`, '{"within":"1s"}')
      assert.equal(answer.status, 202, await answer.text())
      await until(isTriggered, 'the alert is triggered')
    })
  },
)

test('a relay moves what its spool watched before it joined the fleet', { skip }, async (t) => {
  const { PAGERDUTY_FLEET: _fleet, ...env } = build('joining')
  assert.equal((await run('started --within 1h', env)).code, 0)
  await fleet?.start('joining')
  const engine = openTestFleet(t, url, 'other')
  await until(async () => {
    await engine.deadlines.expire()
    return engine.deadlines.counts().open === 1
  }, 'it is in the fleet')
})

test(
  'without a spool, started fails with 75 if the fleet does not answer, and with 78 if it cannot',
  { skip },
  async () => {
    await away(async () => {
      const told = await run('started --within 1h --deadline 1500ms', build())
      assert.equal(told.code, 75, told.stderr)
      assert.match(told.stderr, /the deployment’s start is not recorded: 127\.0\.0\.1:\d+: /)
    })
    const wrong = await run('started --within 1h', {
      ...build(),
      PAGERDUTY_FLEET: cluster?.url('relay', 'x') ?? '',
    })
    assert.equal(wrong.code, 78, wrong.stderr)
    assert.match(wrong.stderr, /the user or the password is wrong/)
  },
)
