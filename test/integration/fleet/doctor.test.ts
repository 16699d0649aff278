import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PASSWORD, startFleetCluster } from '../../support/fleet.ts'
import { freePort } from '../../support/free-port.ts'
import { NEEDS_POSTGRES, startCluster } from '../../support/postgres.ts'
import { runProgram, type Run } from '../../support/program.ts'
import { skipWithout } from '../../support/required.ts'

const skip = skipWithout(...NEEDS_POSTGRES)
const cluster = skip === false ? await startFleetCluster({ settings: ['fsync = on'] }) : undefined
after(() => cluster?.close())
const url = cluster?.url('relay', PASSWORD) ?? ''

async function doctor(env: Record<string, string>): Promise<Run> {
  return await runProgram(['doctor', '--fleet'], { env: { PAGERDUTY_SPOOL: '/tmp', ...env } })
}

test('doctor --fleet says what an acknowledgement means, and asks for no key', { skip }, async () => {
  const { code, stdout } = await doctor({ PAGERDUTY_FLEET: url })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^ok {3}fleet: 127\.0\.0\.1:\d+ accepts writes$/m)
  assert.match(
    stdout,
    /^warn fleet: synchronous_standby_names is empty: an acknowledged event is on one disk/m,
  )
  assert.match(stdout, /^warn fleet: PAGERDUTY_FLEET_SECRET is not set/m)
  assert.doesNotMatch(stdout, new RegExp(PASSWORD))
})

test('variables of libpq, which may be meant for another database, have no effect', { skip }, async () => {
  const { code, stdout } = await doctor({
    PAGERDUTY_FLEET: url,
    PGOPTIONS: '-c default_transaction_read_only=on -c search_path=nowhere',
    PGREPLICATION: 'database',
    PGSSLNEGOTIATION: 'direct',
    PGSSLMODE: 'require',
    PGCLIENTENCODING: 'LATIN1',
    PGHOST: 'db.invalid',
    PGUSER: 'somebody',
    PGPASSWORD: 'their-password',
    PGSERVICE: 'theirs',
  })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^ok {3}fleet: 127\.0\.0\.1:\d+ accepts writes$/m)
})

test('doctor --fleet lists a node that is down, and is content with the others', { skip }, async () => {
  const { code, stdout } = await doctor({
    PAGERDUTY_FLEET: url.replace('127.0.0.1', `127.0.0.1:${await freePort()},127.0.0.1`),
  })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^warn fleet: 127\.0\.0\.1:\d+: the connection was refused \(ECONNREFUSED\)$/m)
})

test(
  'doctor --fleet fails with 75 if no node accepts writes, and with 78 if the settings are wrong',
  { skip },
  async () => {
    const away = await doctor({ PAGERDUTY_FLEET: `postgres://relay@127.0.0.1:${await freePort()}/pagerduty` })
    assert.equal(away.code, 75, away.stdout)
    assert.match(away.stdout, /^FAIL fleet: no node accepts writes$/m)
    const wrong = await doctor({ PAGERDUTY_FLEET: cluster?.url('relay', 'wrong') ?? '' })
    assert.equal(wrong.code, 78, wrong.stdout)
    assert.match(wrong.stdout, /^FAIL fleet: 127\.0\.0\.1:\d+: the user or the password is wrong \(28P01\)$/m)
    assert.doesNotMatch(wrong.stdout, /no node accepts writes/)
    const unset = await doctor({})
    assert.equal(unset.code, 78)
    assert.match(unset.stderr, /no fleet is set/)
    const noSpool = await doctor({ PAGERDUTY_FLEET: url, PAGERDUTY_SPOOL: '' })
    assert.equal(noSpool.code, 0, noSpool.stdout)
    assert.match(noSpool.stdout, /^warn fleet: PAGERDUTY_SPOOL is not set: serve refuses to start/m)
  },
)

test('fleet migrate makes the tables, doctor --fleet misses them before', { skip }, async (t) => {
  const empty = await startCluster()
  t.after(() => empty.close())
  const env = {
    PAGERDUTY_FLEET: empty.url(),
    PAGERDUTY_FLEET_SECRET: 'a secret of more than thirty-two characters',
  }
  const before = await doctor(env)
  assert.equal(before.code, 78, before.stdout)
  assert.match(
    before.stdout,
    /^FAIL fleet: .*the database has no tables of a fleet\n {5}-> run pagerduty-alert fleet migrate/m,
  )
  assert.match(before.stdout, /^warn fleet: fsync is off/m)
  const migrated = await runProgram(['fleet', 'migrate'], { env })
  assert.equal(migrated.code, 0, migrated.stderr)
  assert.match(migrated.stderr, /the fleet’s tables were created on 127\.0\.0\.1:\d+, version 1/)
  assert.equal((await runProgram(['fleet', 'migrate'], { env })).code, 0)
  const later = await doctor(env)
  assert.equal(later.code, 0, later.stdout)
  assert.match(later.stdout, /^ok {3}fleet: events and callers’ keys are encrypted in the database$/m)
})

test('a relay’s user may not migrate', { skip }, async () => {
  const { code, stderr } = await runProgram(['fleet', 'migrate'], { env: { PAGERDUTY_FLEET: url } })
  assert.equal(code, 78)
  assert.match(stderr, /put the address of the database’s owner into PAGERDUTY_FLEET \(42501\)/)
  assert.doesNotMatch(stderr, new RegExp(PASSWORD))
})
