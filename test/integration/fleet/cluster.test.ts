import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { after, beforeEach, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from '../../../src/fleet/engine.ts'
import {
  claimAll,
  emptyFleet,
  fleetItem,
  openTestFleet,
  PASSWORD,
  startFleetCluster,
  takeFrom,
} from '../../support/fleet.ts'
import { startPgbouncer } from '../../support/pgbouncer.ts'
import { freePort } from '../../support/free-port.ts'
import { NEEDS_STANDBYS, type Cluster, type Node } from '../../support/postgres.ts'
import { skipWithout } from '../../support/required.ts'
import { alertItem, changeItem } from '../../support/spool.ts'
import { until } from '../../support/until.ts'

const skip = skipWithout(...NEEDS_STANDBYS)
const cluster = skip === false ? await startFleetCluster({ nodes: 3 }) : undefined
after(() => cluster?.close())
beforeEach(async () => {
  if (cluster !== undefined) await emptyFleet(cluster)
})
const url = cluster?.url('relay', PASSWORD) ?? ''

/** Adds until it succeeds: what was committed before is added only once. */
async function addPatiently(engine: Engine, originId: string): Promise<void> {
  const item = fleetItem(changeItem(originId), { originId })
  for (let tries = 0; tries < 600; tries++) {
    try {
      await engine.add([item])
      return
    } catch {
      await sleep(100)
    }
  }
  throw new Error('the fleet did not come back')
}

test(
  'what was acknowledged is there after the primary was killed and a standby promoted, once',
  { skip },
  async (t) => {
    if (cluster === undefined) return
    const engine = openTestFleet(t, url)
    const adding = Promise.all(
      Array.from({ length: 4 }, async (_, writer) => {
        for (let number = 0; number < 25; number++) await addPatiently(engine, `${writer}/${number}`)
      }),
    )
    await until(async () => (await engine.counts()).pending > 10, 'ten events are there')
    const keys = await claimAll(engine)
    const old = cluster.primary()
    await old.kill()
    await cluster.promote()
    await adding
    assert.deepEqual(await engine.counts(), { pending: 100, delivered: 0, dead: 0 })
    // The lease and its epoch have survived as well.
    const { events } = await engine.take(takeFrom(keys))
    assert.equal(events.length, 100)
    await cluster.rejoin(old)
    await addPatiently(engine, 'after')
  },
)

test(
  'the primary is found behind a node that hangs, one that is a standby and one that is not there',
  { skip },
  async (t) => {
    if (cluster === undefined) return
    const hanging = await listenSilently()
    t.after(() => hanging.close())
    const primary = cluster.primary()
    const standby = cluster.nodes.find((node) => node !== primary)
    const ports = [(hanging.address() as AddressInfo).port, standby?.port, await freePort(), primary.port]
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',')
    const engine = openTestFleet(t, `postgres://relay:${PASSWORD}@${hosts}/pagerduty`)
    await engine.counts()
    assert.deepEqual(engine.state(), { kind: 'up', host: `127.0.0.1:${primary.port}` })
  },
)

test('a database that is away is named node by node, and used again when it is back', { skip }, async (t) => {
  if (cluster === undefined) return
  const primary = cluster.primary()
  const standby = cluster.nodes.find((node) => node !== primary)
  const engine = openTestFleet(
    t,
    `postgres://relay:${PASSWORD}@127.0.0.1:${standby?.port},127.0.0.1:${primary.port}/pagerduty`,
  )
  const states: string[] = []
  engine.onState(({ kind }) => states.push(kind))
  await engine.counts()
  await primary.stop()
  await until(async () => {
    const reason = await engine.counts().then(
      () => '',
      (error: Error) => error.message,
    )
    return (
      /does not accept writes \(a standby\)/.test(reason) && /:\d+: the connection was refused/.test(reason)
    )
  }, 'both nodes are named')
  assert.equal(engine.state().kind, 'down')
  await primary.start()
  await until(
    () =>
      engine.counts().then(
        () => true,
        () => false,
      ),
    'the database is used again',
  )
  assert.deepEqual([states[0], states.at(-1)], ['up', 'up'])
  assert.ok(states.includes('down'))
})

/** Stops all standbys; they start again when the test ends, at the latest, since the next one could commit nothing. */
async function stopStandbys(t: TestContext, servers: Cluster): Promise<() => Promise<void>> {
  const standbys = servers.nodes.filter((node) => node !== servers.primary())
  const start = async (): Promise<void> => {
    for (const standby of standbys) await standby.start()
  }
  t.after(start)
  for (const standby of standbys) await standby.stop()
  return start
}

test('an event is acknowledged only when a standby has it', { skip }, async (t) => {
  if (cluster === undefined) return
  const engine = openTestFleet(t, url)
  await engine.counts()
  const startStandbys = await stopStandbys(t, cluster)
  let isAdded = false
  const adding = engine
    .add([fleetItem(alertItem('trigger', 'a'), { originId: 'waits' })])
    .then(() => (isAdded = true))
  await sleep(1000)
  assert.equal(isAdded, false)
  await startStandbys()
  await adding.catch(() => undefined) // a slow start may take longer than a statement may
  await addPatiently(engine, 'waits')
  assert.equal((await engine.counts()).pending, 1)
})

test(
  'a commit that did not wait for a standby because somebody canceled it is not acknowledged',
  { skip },
  async (t) => {
    if (cluster === undefined) return
    const engine = openTestFleet(t, url)
    await engine.counts()
    const startStandbys = await stopStandbys(t, cluster)
    const adding = engine.add([fleetItem(alertItem('trigger', 'a'), { originId: 'canceled' })])
    const refused = assert.rejects(adding, /no standby has confirmed the commit/)
    const cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    await until(async () => (await cluster.primary().query(cancel)).length > 0, 'it waits, and no longer')
    await refused
    await startStandbys()
    await addPatiently(engine, 'canceled')
    assert.equal((await engine.counts()).pending, 1)
  },
)

test(
  'a primary that has lost its standbys is left for the one that was promoted, and not used by those that come',
  { skip },
  async (t) => {
    if (cluster === undefined) return
    const old = cluster.primary()
    const oldFirst = [old, ...cluster.nodes.filter((node) => node !== old)]
    const hosts = oldFirst.map(({ port }) => `127.0.0.1:${port}`).join(',')
    const open = (name: string): Engine =>
      openTestFleet(t, `postgres://relay:${PASSWORD}@${hosts}/pagerduty`, name)
    const there = open('there')
    await Promise.all(['one', 'two'].map((originId) => addPatiently(there, originId))) // each connection
    for (const standby of oldFirst.slice(1)) {
      await standby.query("ALTER SYSTEM SET primary_conninfo = ''")
      await standby.query('SELECT pg_reload_conf()')
    }
    const standbysOf = async (node: Node): Promise<number> =>
      (await node.query('SELECT FROM pg_stat_replication')).length
    await until(async () => (await standbysOf(old)) === 0, 'the old one is alone')
    const promoted = await cluster.promote()
    await until(async () => (await standbysOf(promoted)) === 1, 'the other standby follows')
    const state = { kind: 'up', host: `127.0.0.1:${promoted.port}` }
    const coming = open('coming')
    await coming.counts()
    assert.deepEqual(coming.state(), state)
    await Promise.all(['three', 'four'].map((originId) => addPatiently(there, originId)))
    assert.deepEqual(there.state(), state)
    assert.equal((await there.counts()).pending, 4, 'its other connections have followed')
    await cluster.rejoin(old)
  },
)

test('other relays hear what became due and what changed', { skip }, async (t) => {
  const [one, other] = [openTestFleet(t, url, 'one'), openTestFleet(t, url, 'other')]
  await other.counts() // connects, and listens
  const heard = { due: new Set<number>(), changed: new Set<number>() }
  other.onDue((keyIds) => keyIds.forEach((id) => heard.due.add(id)))
  other.onChange((ids) => ids.forEach((id) => heard.changed.add(id)))
  const ids = await one.add([fleetItem(alertItem('trigger', 'a')), fleetItem(alertItem('resolve', 'a'))])
  await until(() => heard.due.size === 1 && ids.every((id) => heard.changed.has(id)), 'the news have arrived')
})

test(
  'everything but the news works behind PgBouncer, which lends a connection for one transaction only',
  { skip: skip === false ? skipWithout('pgbouncer') : skip },
  async (t) => {
    if (cluster === undefined) return
    const pooled = await startPgbouncer(t, cluster, 'relay', PASSWORD)
    const engines = ['one', 'two', 'three'].map((name) => openTestFleet(t, pooled, name))
    await Promise.all(
      engines.flatMap((engine) =>
        Array.from({ length: 50 }, (_, index) =>
          engine.add([fleetItem(alertItem('trigger', `alert ${index}`))]),
        ),
      ),
    )
    const [engine] = engines
    if (engine === undefined) return
    let delivered = 0
    let keys = await claimAll(engine)
    while (delivered < 150) {
      const { events } = await engine.take(takeFrom(keys))
      const became = await engine.settle(
        events.map((event) => ({ ...event, kind: 'delivered', httpStatus: 202 })),
      )
      delivered += became.filter((what) => what === 'settled').length
      if (events.length === 0) keys = [...keys, ...(await claimAll(engine))]
    }
    assert.deepEqual(await engine.counts(), { pending: 0, delivered: 150, dead: 0 })
    assert.equal((await engine.find({ statuses: ['delivered'], limit: 200 })).length, 150)
    assert.deepEqual(await engine.deployments({ limit: 10 }), [])
  },
)

/** A server that accepts connections and says nothing. */
async function listenSilently(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    server.once('close', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
