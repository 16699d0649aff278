import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { startFleetCluster } from '../../support/fleet.ts'
import { findMarkers, findMarkersInFiles, FLEET_MARKERS, MARKERS } from '../../support/markers.ts'
import { freePort } from '../../support/free-port.ts'
import { NEEDS_POSTGRES, type Node } from '../../support/postgres.ts'
import { runProgram } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { until } from '../../support/until.ts'

const skip = skipWithout(...NEEDS_POSTGRES)
const simulator = await startSimulator()
const cluster = skip === false ? await startFleetCluster() : undefined
const folder = mkdtempSync(join(tmpdir(), 'fleet-leaks-'))
after(async () => {
  await cluster?.close()
  await simulator.close()
  rmSync(folder, { recursive: true })
})

const ROUTES = [
  '/events',
  '/events?status=delivered',
  '/status',
  '/metrics',
  '/readyz',
  '/deployments',
  '/openapi.json',
]

/** The environment of a relay of the fleet, and of commands; the password is in the address or beside it. */
function environment(url: string, isInAddress: boolean): Record<string, string> {
  const withPassword = url.replace('relay@', `relay:${encodeURIComponent(FLEET_MARKERS.fleetPassword)}@`)
  return {
    PAGERDUTY_ROUTING_KEY: MARKERS.routingKey,
    PAGERDUTY_EVENTS_URL: simulator.url,
    PAGERDUTY_FLEET: isInAddress ? withPassword : url,
    ...(!isInAddress && { PAGERDUTY_FLEET_PASSWORD: FLEET_MARKERS.fleetPassword }),
    PAGERDUTY_FLEET_SECRET: FLEET_MARKERS.fleetSecret,
    PAGERDUTY_SPOOL: join(folder, String(isInAddress)),
    LOG_LEVEL: 'trace',
  }
}

/** Everything that a table holds. */
async function textOf(node: Node, table: string): Promise<string> {
  return JSON.stringify(await node.query(`SELECT t::text AS text FROM pagerduty_alert.${table} t`))
}

for (const isInAddress of [true, false]) {
  const where = isInAddress ? 'in the address' : 'in a variable of its own'
  test(`with the password ${where}, relay, commands and database show no secret`, { skip }, async () => {
    assert.ok(cluster)
    await cluster.primary().query(`ALTER ROLE relay PASSWORD '${FLEET_MARKERS.fleetPassword}'`)
    simulator.reset()
    const env = environment(cluster.url('relay'), isInAddress)
    const relay = await startRelay(env)
    let shown = ''
    for (const key of [undefined, MARKERS.secondKey]) {
      const body = alertBody({
        dedup_key: `to ${key === undefined ? 'ours' : 'another'}`,
        ...(key && { routing_key: key }),
      })
      // A database that does not answer within a second gets nothing, and the spool takes it.
      await until(async () => {
        const answer = await post(`${relay.url}/v2/enqueue`, body)
        shown += await answer.text()
        return answer.headers.get('x-accepted-by') === 'fleet'
      }, 'the fleet takes it')
    }
    await until(() => simulator.alerts.length === 2, 'both are delivered', 60_000)
    for (const route of ROUTES) shown += await (await fetch(relay.url + route)).text()
    for (const args of [['doctor', '--fleet'], ['flush'], ['fleet', 'migrate'], ['spool', 'list']]) {
      const { stdout, stderr } = await runProgram(args, { env })
      shown += stdout + stderr
    }
    const { stdout, stderr } = await relay.stop()
    assert.match(stderr + stdout, /"?fleet/)
    assert.deepEqual(findMarkers(shown + stdout + stderr), [], shown)
    assert.deepEqual(findMarkersInFiles(env['PAGERDUTY_SPOOL'] ?? ''), [])
    const primary = cluster.primary()
    const tables = await primary.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relnamespace = 'pagerduty_alert'::regnamespace AND relkind = 'r'",
    )
    for (const { name } of tables) assert.deepEqual(findMarkers(await textOf(primary, name)), [], name)
  })

  test(
    `with the password ${where}, nothing shows it if the database refuses, or is not there`,
    { skip },
    async () => {
      assert.ok(cluster)
      await cluster.primary().query("ALTER ROLE relay PASSWORD 'another one'")
      for (const url of [cluster.url('relay'), `postgres://relay@127.0.0.1:${await freePort()}/pagerduty`]) {
        const env = environment(url, isInAddress)
        for (const args of [
          ['doctor', '--fleet'],
          ['fleet', 'migrate'],
          ['flush', '--deadline', '3s'],
        ]) {
          const { stdout, stderr, code } = await runProgram(args, { env })
          if (args[0] !== 'flush') assert.notEqual(code, 0, args.join(' '))
          assert.deepEqual(findMarkers(stdout + stderr), [], stdout + stderr)
        }
      }
    },
  )
}
