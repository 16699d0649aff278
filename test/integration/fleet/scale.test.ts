import assert from 'node:assert/strict'
import pg from 'pg'
import { after as afterAll, before as beforeAll, test } from 'node:test'
import { createAdd, createAddOn } from '../../../src/fleet/adding.ts'
import { createDeadEvents } from '../../../src/fleet/dead-events.ts'
import { createDelivering } from '../../../src/fleet/delivering.ts'
import { createDeployments } from '../../../src/fleet/deployments.ts'
import type { EngineDelivery, KeyRequest } from '../../../src/fleet/engine.ts'
import type { Lane } from '../../../src/fleet/lane.ts'
import { createKeys, createListing } from '../../../src/fleet/listing.ts'
import type { News } from '../../../src/fleet/news.ts'
import { createSeal } from '../../../src/fleet/seal.ts'
import { claimAll, fleetItem, LEASE_MS, startFleetCluster, takeFrom } from '../../support/fleet.ts'
import { NEEDS_POSTGRES } from '../../support/postgres.ts'
import { skipWithout } from '../../support/required.ts'
import { alertItem, changeItem } from '../../support/spool.ts'

/** Pending events; SCALE_EVENTS=1000000 is the size for which the queue is meant. */
const EVENTS = Number(process.env['SCALE_EVENTS'] ?? '20000')
const KEYS = EVENTS / 100
/** Deployments that have begun and not ended. */
const RUNNING = 2000
/** Rows that a statement may look at beside those that it returns or changes. */
const ALLOWANCE = 500

const skip = skipWithout(...NEEDS_POSTGRES)
const cluster = skip === false ? await startFleetCluster() : undefined

interface Reads {
  readonly table: string
  /** Rows that were read one after the other, and rows that an index found. */
  readonly rows: number
}

/** What the statements of the lane read of each table, beside how long they took. */
const reads: Reads[] = []
const client = new pg.Client({ connectionString: cluster?.url() ?? '' })
afterAll(async () => {
  await client.end()
  await cluster?.close()
})

/** Runs each statement in a transaction of its own, and notes what it read. */
const lane: Lane = {
  run: async (text, values = []) => {
    await client.query('BEGIN')
    const before = await readSoFar()
    const { rows } = await client.query(text, [...values])
    const after = await readSoFar()
    await client.query('COMMIT')
    reads.push(...[...after].map(([table, count]) => ({ table, rows: count - (before.get(table) ?? 0) })))
    return rows as never
  },
  transact: (work) => work((text, values) => lane.run(text, values)),
  close: () => Promise.resolve(),
}

/** Rows that this connection has read of each table since its statistics were collected, the open transaction included. */
async function readSoFar(): Promise<Map<string, number>> {
  const { rows } = await client.query<Reads>(
    `SELECT relname AS table, (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer AS rows FROM pg_stat_xact_user_tables
     WHERE schemaname = 'pagerduty_alert'`,
  )
  return new Map(rows.map(({ table, rows: count }) => [table, count]))
}

const seal = createSeal({})
const news: News = {
  tell: () => undefined,
  tellOthers: () => undefined,
  onDue: () => () => undefined,
  onChange: () => () => undefined,
  listenOn: () => Promise.resolve(),
  close: () => undefined,
}
const delivering = createDelivering({ lane, seal, relay: 'relay-1', version: '1', news })
const listing = createListing({ lane, seal, origin: 'relay-1' })
const dead = createDeadEvents({ lane, keys: createKeys(lane, seal), relay: 'relay-1', news })
const add = createAdd([lane], createAddOn({ seal, origin: 'relay-1', news }))

beforeAll(async () => {
  if (skip !== false) return
  await client.connect()
  client.setTypeParser(20, Number)
  client.setTypeParser(1016 as never, (text: string) =>
    text.slice(1, -1).split(',').filter(Boolean).map(Number),
  )
  await client.query(`
    SET search_path = pagerduty_alert;
    INSERT INTO key (name) SELECT 'key-' || n FROM generate_series(1, ${KEYS}) AS n;
    INSERT INTO pending (id, turn, key_id, kind, action, alert, origin, origin_id, accepted_at, due_at, checksum, body)
    SELECT n, n, 1 + n % ${KEYS}, CASE WHEN n % 3 = 0 THEN 'change' ELSE 'alert' END, CASE WHEN n % 3 > 0 THEN 'trigger' END,
      CASE WHEN n % 3 > 0 THEN 'alert ' || n / 2 END, 'relay-' || 1 + n % 3, n::text, clock_timestamp(),
      CASE WHEN n % 2 = 0 THEN '-infinity'::timestamptz WHEN n % 5 = 0 THEN clock_timestamp() + interval '1 h'
        ELSE clock_timestamp() END, 0, '\\x007b7d'
    FROM generate_series(1, ${EVENTS}) AS n;
    INSERT INTO dead (id, key_id, kind, action, alert, origin, origin_id, accepted_at, attempts, cause, reason, settled_at,
      settled_by, checksum, body)
    SELECT ${EVENTS} + n, 1 + n % ${KEYS}, 'alert', 'trigger', 'alert ' || n, 'relay-1', (${EVENTS} + n)::text,
      clock_timestamp(), 1, 'refused', 'no', clock_timestamp(), 'relay-1', 0, '\\x007b7d'
    FROM generate_series(1, ${EVENTS} / 20) AS n;
    SELECT setval('turn', ${EVENTS * 2});`)
})

/** Runs something, and checks that it read at most so many rows of any table beside an allowance. */
async function readsAtMost<T>(rows: number, work: () => Promise<T>): Promise<T> {
  reads.length = 0
  const result = await work()
  const most = reads.toSorted((a, b) => b.rows - a.rows)[0]
  assert.ok((most?.rows ?? 0) <= rows + ALLOWANCE, `${most?.rows} rows of ${most?.table}`)
  return result
}

let owned: KeyRequest[] = []

test('claiming reads a few rows for each key, however many events there are', { skip }, async () => {
  const names = Array.from({ length: KEYS }, (_, index) => `key-${index + 1}`)
  owned = await readsAtMost(KEYS * 4, () => claimAll(delivering as never, names))
  assert.ok(owned.length > KEYS / 20, `${owned.length} keys`)
})

test('renewing, taking, permits and settling read what they return', { skip }, async () => {
  const keys = owned.slice(0, 100).map((key) => ({ ...key, most: 3 }))
  await readsAtMost(owned.length, () => delivering.renew(LEASE_MS, owned))
  const first = await readsAtMost(3000, () => delivering.take(takeFrom(keys, { room: 256 })))
  assert.equal(first.events.length, 256)
  await readsAtMost(500, () => delivering.permit(keys, { permits: 10, windowMs: 62_000 }))
  const results = first.events.map((event, index) => ({
    ...event,
    ...(index % 2 === 0
      ? ({ kind: 'delivered', httpStatus: 202 } as const)
      : ({ kind: 'postponed', reason: 'HTTP 500', waitMs: 1000 } as const)),
  }))
  const became = await readsAtMost(3000, () => delivering.settle(results))
  assert.ok(became.every((what) => what === 'settled'))
  await readsAtMost(200, () => delivering.clampDue(keys[0] as KeyRequest, 1000))
})

test('one key with many events is taken from without reading them', { skip }, async () => {
  await client.query(
    "UPDATE pagerduty_alert.pending SET key_id = 1 WHERE id % 4 = 0 AND due_at = '-infinity'",
  )
  const keys = owned.filter(({ keyId }) => keyId === 1)
  await readsAtMost(600, () => delivering.take(takeFrom(keys, { room: 100 })))
  const busy = Array.from({ length: 256 }, (_, index) => index * 4)
  await readsAtMost(1200, () => delivering.take(takeFrom(keys, { room: 100, busy })))
})

test('adding reads a few rows for each event', { skip }, async () => {
  const key = { kind: 'configured', name: 'key-1' } as const
  const items = Array.from({ length: 256 }, (_, index) =>
    fleetItem(
      index % 2 === 0 ? alertItem('trigger', `alert ${index}`, key) : changeItem(`change ${index}`, key),
    ),
  )
  const ids = await readsAtMost(2000, () => add(items))
  assert.deepEqual(await readsAtMost(2000, () => add(items)), ids)
})

test('lists read what they show', { skip }, async () => {
  for (const status of ['pending', 'dead', 'delivered', 'discarded'] as const)
    await readsAtMost(400, () => listing.find({ statuses: [status], limit: 200 }))
  await readsAtMost(400, () => listing.find({ statuses: ['pending'], limit: 200, afterId: EVENTS / 2 }))
  await readsAtMost(400, () =>
    listing.find({ statuses: ['pending'], limit: 200, beforeId: EVENTS / 2, kind: 'alert' }),
  )
  await readsAtMost(10, () => listing.show(EVENTS / 2))
  const alerts = Array.from({ length: 200 }, (_, index) => ({
    key: { kind: 'configured', name: `key-${1 + (index % KEYS)}` } as const,
    dedupKey: `alert ${index}`,
  }))
  const arePending = await readsAtMost(400, () => listing.areAlertsPending(alerts))
  assert.ok(arePending.includes(true) && arePending.includes(false))
  const ids = await readsAtMost(400, () => listing.idsOf(alerts.map((_, index) => String(index))))
  assert.ok(ids.includes(undefined) && ids.some((id) => id !== undefined))
  await readsAtMost(500, () => listing.progress(Array.from({ length: 200 }, (_, index) => index)))
  await readsAtMost(10, () => listing.oldestPendingAgeMs())
  await readsAtMost(10, () => createDeployments(lane).deployments({ limit: 200 }))
})

test(
  'a list of running deployments looks once at the deadlines of those that it shows',
  { skip },
  async () => {
    await client.query(`
    INSERT INTO pagerduty_alert.deployment (id, identity, state, started_at, event_ids, record)
    SELECT n, 'deployment ' || n, 'started', clock_timestamp(), '{}',
      jsonb_build_object('identity', 'deployment ' || n, 'state', 'started', 'buildId', n::text)
    FROM generate_series(1, ${RUNNING}) AS n;
    INSERT INTO pagerduty_alert.deadline (alert, build, identity, span, within, due_at, key_ids, event)
    SELECT 'alert ' || n, n::text, 'deployment ' || n, '1 h', '1 h', clock_timestamp() + interval '1 h', '{}', '\\x00'
    FROM generate_series(1, ${RUNNING}) AS n`)
    let looks = 0
    const counting: Lane = {
      ...lane,
      run: async (text, values) => {
        const rows = await lane.run(text, values)
        if (!text.includes('deadlines')) return rows as never
        const get = (row: object, name: string): unknown => {
          looks++
          return Reflect.get(row, name)
        }
        return rows.map((row) => new Proxy(row, { get })) as never
      },
    }
    const listed = await readsAtMost(0, () => createDeployments(counting).deployments({ limit: 200 }))
    assert.equal(listed.filter(({ dueAtMs }) => dueAtMs !== undefined).length, 200)
    assert.ok(looks <= 200 * 5, `${looks} looks at 200 deadlines`)
  },
)

test('counts stop at 100,001', { skip }, async () => {
  const { pending } = await readsAtMost(Math.min(EVENTS + 256, 100_001), () => listing.counts())
  assert.ok(pending > 0 && pending <= 100_001)
  await readsAtMost(Math.min(EVENTS + 256, 100_001), () => listing.pending('own'))
})

test('retrying and discarding read the dead events that they change', { skip }, async () => {
  const count = EVENTS / 20
  await readsAtMost(20, () => dead.retry({ id: EVENTS + 1 }))
  const { retried } = await readsAtMost(4000, () => dead.previewRetry({}))
  assert.ok(retried > 0 && retried < count)
  await readsAtMost(4000, () => dead.discard({}))
})

test('tidying reads only what is too much', { skip }, async () => {
  await readsAtMost(2000, () => (delivering satisfies EngineDelivery).tidy())
})
