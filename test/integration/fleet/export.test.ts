import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { claimAll, fleetItem, LEASE_MS, openTestFleet, shareFleet, takeFrom } from '../../support/fleet.ts'
import { runProgram } from '../../support/program.ts'
import { alertItem, changeItem, openTestSpool, ownKey, temporaryDirectory } from '../../support/spool.ts'

const { skip, cluster, url } = await shareFleet()
const SECRET = 'a secret of more than thirty-two characters'
const ENV = { PAGERDUTY_FLEET: url, PAGERDUTY_FLEET_SECRET: SECRET }

test('what is pending moves into a spool, in its order, with its keys', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one', SECRET), openTestFleet(t, url, 'other', SECRET)]
  const key = ownKey()
  await one.add(Array.from({ length: 300 }, (_, index) => fleetItem(alertItem('trigger', `alert ${index}`))))
  await other.add([fleetItem(alertItem('resolve', 'alert 0')), fleetItem(changeItem('deployed', key))])
  await one.take(takeFrom(await claimAll(one))) // by a relay that has ended since then
  const directory = temporaryDirectory(t)
  const { code, stdout, stderr } = await runProgram(['fleet', 'export', directory, '--json'], { env: ENV })
  assert.equal(code, 0, stderr)
  assert.deepEqual(JSON.parse(stdout), { command: 'fleet', action: 'export', exported: 302 })
  const { spool } = await openTestSpool(t, { directory })
  const entries = spool.list('pending', 1000)
  assert.deepEqual(
    entries.map(({ action, dedupKey }) => `${action} ${dedupKey}`),
    [
      ...Array.from({ length: 300 }, (_, index) => `trigger alert ${index}`),
      'resolve alert 0',
      'undefined undefined',
    ],
  )
  const last = entries.at(-1)?.key
  assert.ok(last?.kind === 'own' && key.kind === 'own' && last.key.reveal() === key.key.reveal())
  assert.equal(await one.pending('all'), 0)
})

test('nothing moves while a relay is alive, or into a spool that takes nothing', { skip }, async (t) => {
  const engine = openTestFleet(t, url, 'one', SECRET)
  await engine.add([fleetItem(changeItem('deployed')), fleetItem(changeItem('deployed again'))])
  await engine.renew(LEASE_MS, [])
  const directory = temporaryDirectory(t)
  const alive = await runProgram(['fleet', 'export', directory], { env: ENV })
  assert.equal(alive.code, 78)
  assert.match(alive.stderr, /relays still use the fleet: one; stop them/)
  await cluster?.primary().query("UPDATE pagerduty_alert.relay SET seen_at = seen_at - interval '1 min'")
  const file = join(directory, 'file')
  writeFileSync(file, '')
  const impossible = await runProgram(['fleet', 'export', file], { env: ENV })
  assert.equal(impossible.code, 75, impossible.stderr)
  assert.equal(await engine.pending('all'), 2)
  const again = await runProgram(['fleet', 'export', directory], { env: ENV })
  assert.match(again.stderr, /2 events were moved into the spool/)
})
