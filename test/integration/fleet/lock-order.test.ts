import assert from 'node:assert/strict'
import { after, before, beforeEach, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Event } from '../../../src/core/event.ts'
import { Failure } from '../../../src/core/failure.ts'
import type { Engine, FleetResult, FleetSettlement, TakenEvent } from '../../../src/fleet/engine.ts'
import { exportFleet } from '../../../src/fleet/export.ts'
import type { SpoolKey } from '../../../src/spool/spool.ts'
import { createChance } from '../../chaos/chance.ts'
import {
  claimAll,
  deadlocksOf,
  emptyFleet,
  fleetConfig,
  fleetItem,
  openTestFleet,
  PASSWORD,
  PLENTY,
  startFleetCluster,
  takeFrom,
} from '../../support/fleet.ts'
import { NEEDS_POSTGRES } from '../../support/postgres.ts'
import { skipWithout } from '../../support/required.ts'
import { alertItem, changeItem, ownKey } from '../../support/spool.ts'

const skip = skipWithout(...NEEDS_POSTGRES)
const cluster =
  skip === false ? await startFleetCluster({ settings: ['deadlock_timeout = 100ms'] }) : undefined
after(() => cluster?.close())
const url = cluster?.url('relay', PASSWORD) ?? ''
const SECRET = 'a secret of more than thirty-two characters'

const ROUNDS = Number(process.env['LOCK_ROUNDS'] ?? 6)
const KEYS: readonly SpoolKey[] = [
  { kind: 'configured', name: 'web' },
  { kind: 'configured', name: 'api' },
  ownKey(),
]
const ALERTS = ['one', 'two']
/** Tables whose rows functions change in more than one place. */
const TABLES = ['key', 'pending', 'dead', 'deadline', 'deployment', 'permit', 'relay']
const chance = createChance()
/** What any of the relays has taken: each may report a result, in time or after it has lost the key. */
let taken: TakenEvent[] = []
/** What has really happened. */
const done = { taken: 0, settled: 0, noted: 0, missed: 0, retried: 0, discarded: 0, exported: 0 }

const count = (what: keyof typeof done, times: number): void => void (done[what] += times)

const shuffled = <T>(all: readonly T[]): T[] =>
  all
    .map((one) => [chance.number(), one] as const)
    .toSorted((a, b) => a[0] - b[0])
    .map(([, one]) => one)
const anyKey = (): SpoolKey => chance.pick(KEYS)

function report(
  outcome: 'started' | 'success' | 'failure',
  alert: string,
  build = chance.pick(['1', '2']),
): Event {
  const payload = {
    summary: outcome,
    source: alert,
    custom_details: { outcome, repository: 'acme/shop', environment: alert, build_id: build },
  }
  return outcome === 'success'
    ? { kind: 'change', body: { payload } }
    : {
        kind: 'alert',
        body: { event_action: 'trigger', dedup_key: alert, payload: { ...payload, severity: 'error' } },
      }
}

function someItems() {
  const events = [...ALERTS, ...ALERTS].flatMap((alert) => [
    alertItem(chance.pick(['trigger', 'resolve']), alert, anyKey()),
    changeItem(alert, anyKey()),
    { event: report(chance.pick(['success', 'failure']), alert), key: anyKey() },
  ])
  return shuffled(events).map((item) => fleetItem(item))
}

function anyResult(): FleetResult {
  return chance.pick<FleetResult>([
    { kind: 'delivered', httpStatus: 202 },
    { kind: 'postponed', reason: 'HTTP 500', waitMs: chance.pick([0, 60_000]) },
    { kind: 'dead', cause: 'refused', reason: 'HTTP 400' },
  ])
}

/** Everything that a relay does with keys: it owns them for so short a time that others report results of them as well. */
async function deliver(engine: Engine): Promise<void> {
  const { leases } = await engine.claim({ most: 2, leaseMs: 1500, names: ['web', 'api'] })
  const held = shuffled(leases)
  const keys = held.map((lease) => ({ ...lease, most: 10 }))
  await engine.renew(1500, held)
  const { events } = await engine.take(takeFrom(keys))
  count('taken', events.length)
  taken = [...taken, ...events].slice(-60)
  await engine.permit(keys, PLENTY)
  for (const lease of held) await engine.clampDue(lease, 1000)
  const settlements = [...events, ...taken.filter(() => chance.number() < 0.1)]
  const became = await engine.settle(
    shuffled(settlements).map((event): FleetSettlement => ({ ...event, ...anyResult() })),
  )
  count('settled', became.filter((what) => what === 'settled').length)
  count('noted', became.filter((what) => what === 'noted').length)
  await engine.release(chance.number() < 0.5 ? held : undefined)
  await engine.tidy()
}

/** Everything that people and deployments ask of a relay, in any order. */
async function ask(engine: Engine): Promise<void> {
  const alert = chance.pick(ALERTS)
  const start = (withinMs: number) =>
    engine.deadlines.begin({ event: report('started', chance.pick(ALERTS)), keys: shuffled(KEYS), withinMs })
  const state = chance.pick(['success', 'failure'] as const)
  const works: (() => Promise<unknown>)[] = [
    () => start(60_000),
    () => start(1),
    async () => count('missed', (await engine.deadlines.expire()).missed.length),
    () =>
      engine.noteDeployment({
        identity: `deploy/acme/shop/${alert}`,
        state,
        buildId: '1',
        endedAtMs: Date.now(),
      }),
    () => engine.deployments({ limit: 10 }),
    () => engine.deploymentsEndedSince(0),
    async () => count('retried', (await engine.retry({})).retried),
    () => engine.previewRetry({}),
    async () => count('discarded', await engine.discard({ matchesKey: (key) => key.kind === 'own' })),
    async () => {
      const [event] = await engine.find({ statuses: ['dead'], limit: 1 })
      if (event !== undefined) await engine.discardOne(event.id, 'of no use')
    },
    () => engine.areAlertsPending([{ key: anyKey(), dedupKey: alert }]),
    () => engine.idsOf(['1', '2']),
    () => engine.counts(),
  ]
  await Promise.all(shuffled(works).map((work) => work().catch(unlessLate)))
}

/** Exports what it can, while relays that seem to be gone go on. */
async function exportSome(): Promise<void> {
  await cluster?.primary().query('DELETE FROM pagerduty_alert.relay')
  let added = 0
  const add = async (items: readonly unknown[]) => ({ kind: 'added', ids: items.map(() => ++added) }) as const
  try {
    count('exported', await exportFleet(fleetConfig(url, SECRET), { add }))
  } catch (error) {
    unlessLate(error)
    await sleep(100)
    await exportSome()
  }
}

/** Makes the server wait after each lock that it takes, so that others have time to take theirs. */
async function slowDown(): Promise<void> {
  const query = async (sql: string): Promise<Record<string, string>[]> =>
    (await cluster?.primary().query<Record<string, string>>(sql)) ?? []
  await query(`
    CREATE FUNCTION pagerduty_alert.wait() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_catalog.pg_sleep(pg_catalog.random() * 0.004);
      RETURN coalesce(NEW, OLD);
    END $$`)
  for (const table of TABLES)
    await query(`CREATE TRIGGER wait BEFORE INSERT OR UPDATE OR DELETE ON pagerduty_alert.${table}
      FOR EACH ROW EXECUTE FUNCTION pagerduty_alert.wait()`)
  const [found] = await query("SELECT pg_get_functiondef('pagerduty_alert.lock_alerts'::regproc) AS text")
  const text = found?.['text'] ?? ''
  const slow = text.replace('l.lock) FROM', 'l.lock), pg_sleep(random() * 0.004) FROM')
  assert.notEqual(slow, text)
  await query(slow)
}

before(async () => {
  if (cluster !== undefined) await slowDown()
})
beforeEach(async () => {
  if (cluster !== undefined) await emptyFleet(cluster)
})

function openEngines(t: TestContext): Engine[] {
  return ['one', 'two', 'three', 'four'].map((origin) => openTestFleet(t, url, origin, SECRET))
}

async function close(engines: readonly Engine[]): Promise<void> {
  await Promise.all(engines.map((engine) => engine.close()))
}

/** A busy machine may let a statement wait for too long; a deadlock is found before that. */
function unlessLate(error: unknown): void {
  if (!(error instanceof Failure) || !/lock timeout|came in time|still use/.test(error.message)) throw error
}

/** Makes something to tidy up, and deadlines that are over. */
async function makeOlder(): Promise<void> {
  await cluster?.primary().query("UPDATE pagerduty_alert.meta SET tidied_at = '-infinity'")
  await cluster?.primary().query(`
    WITH old AS (SELECT ctid FROM pagerduty_alert.permit ORDER BY random() LIMIT 20 FOR UPDATE SKIP LOCKED)
    UPDATE pagerduty_alert.permit SET given_at = given_at - interval '10 min' FROM old WHERE permit.ctid = old.ctid`)
  await sleep(100)
}

test('nothing that relays do at the same time meets in a deadlock', { skip }, async (t) => {
  t.diagnostic(`CHAOS_SEED=${chance.seed}`)
  const engines = openEngines(t)
  const repeat = async (work: () => Promise<unknown>): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) await work().catch(unlessLate)
  }
  await Promise.all([
    ...engines.flatMap((engine) => [
      repeat(() => engine.add(someItems())),
      repeat(() => engine.add(someItems())),
      repeat(() => deliver(engine)),
      repeat(() => ask(engine)),
    ]),
    repeat(makeOlder),
    exportSome(),
  ])
  await close(engines)
  t.diagnostic(JSON.stringify(done))
  assert.ok(done.taken > 0 && done.settled > 0, 'there was something to deliver')
  assert.equal(await deadlocksOf(cluster), 0)
})

test('two relays report results of the same events in different orders', { skip }, async (t) => {
  const engines = openEngines(t)
  const [owner] = engines
  for (let round = 0; round < ROUNDS; round++) {
    await owner?.add(Array.from({ length: 20 }, (_, index) => fleetItem(changeItem(`change ${index}`))))
    const { events = [] } = (await owner?.take(takeFrom(await claimAll(owner)))) ?? {}
    assert.equal(events.length, 20)
    const settlements = events.map((event) => ({ ...event, kind: 'delivered', httpStatus: 202 }) as const)
    await Promise.all(
      engines.map((engine, index) => engine.settle(index % 2 === 0 ? settlements : settlements.toReversed())),
    )
    await owner?.release()
  }
  await close(engines)
  assert.equal(await deadlocksOf(cluster), 0)
})

test('outcomes of a deployment end its deadlines in different orders', { skip }, async (t) => {
  const engines = openEngines(t)
  const builds = Array.from({ length: 8 }, (_, index) => String(index))
  const [alert = ''] = ALERTS
  for (let round = 0; round < ROUNDS; round++) {
    for (const build of builds)
      await engines[0]?.deadlines.begin({
        event: report('started', alert, build),
        keys: [...KEYS],
        withinMs: 1,
      })
    await Promise.all(
      engines.flatMap((engine) => [
        engine.deadlines.expire(),
        engine.noteDeployment({
          identity: `deploy/acme/shop/${alert}`,
          state: 'success',
          endedAtMs: Date.now(),
        }),
        engine.add(
          shuffled(builds).map((build) =>
            fleetItem({ event: report('success', alert, build), key: anyKey() }),
          ),
        ),
      ]),
    )
  }
  await close(engines)
  assert.equal(await deadlocksOf(cluster), 0)
})
