import { claimAll, fleetItem, takeFrom } from '../test/support/fleet.ts'
import { alertOf, namedKeys, type BenchFleet } from './fleet-relays.ts'
import type { Growth } from './growth.ts'

const KEYS = 100
const RUNS = 30
const DEPTHS = [10_000, 100_000, 1_000_000]

/** What the database takes for one event while more and more are pending, of a hundred keys. */
export async function measureDepth(fleet: BenchFleet, isSmoke: boolean): Promise<Growth[]> {
  const { engine, query } = fleet
  const { names } = namedKeys(KEYS)
  const unit = 'events pending'
  const adding: Growth = { name: 'adding one event to a fleet', unit, points: [] }
  const taking: Growth = { name: 'taking and settling one event of a fleet', unit, points: [] }
  await fleet.empty()
  await query('INSERT INTO pagerduty_alert.key (name) SELECT unnest($1::text[])', [names])
  const points = { adding: [] as Growth['points'][number][], taking: [] as Growth['points'][number][] }
  let added = 0
  for (const depth of isSmoke ? [1000, 10_000] : DEPTHS) {
    await fillTo(fleet, depth)
    const keys = await claimAll(engine, names)
    const best = { adding: Infinity, taking: Infinity }
    for (let run = 0; run < RUNS; run++) {
      const name = names[run % KEYS] ?? ''
      best.adding = Math.min(
        best.adding,
        await timeOf(() => engine.add([fleetItem(alertOf(name, `depth/${added++}`))])),
      )
      best.taking = Math.min(
        best.taking,
        await timeOf(() => takeOne(fleet, keys.slice(run % KEYS).slice(0, 1))),
      )
    }
    await engine.release()
    points.adding.push({ size: depth, cost: best.adding })
    points.taking.push({ size: depth, cost: best.taking })
  }
  return [
    { ...adding, points: points.adding },
    { ...taking, points: points.taking },
  ]
}

async function takeOne({ engine }: BenchFleet, keys: Awaited<ReturnType<typeof claimAll>>): Promise<void> {
  const { events } = await engine.take(takeFrom(keys, { room: 1 }))
  if (events.length !== 1) throw new Error('there was no event to take')
  await engine.settle(events.map((event) => ({ ...event, kind: 'delivered', httpStatus: 202 })))
}

/** Milliseconds of one run of something. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now()
  await work()
  return performance.now() - startedAtMs
}

/** Writes rows as `add` would: a million of them one by one would take too long. */
async function fillTo({ query }: BenchFleet, depth: number): Promise<void> {
  const [{ count } = { count: 0 }] = await query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM pagerduty_alert.pending',
  )
  await query(
    `INSERT INTO pagerduty_alert.pending
       (id, turn, key_id, kind, action, alert, origin, origin_id, accepted_at, due_at, checksum, body)
     SELECT n.id, n.id, k.ids[1 + n.number % cardinality(k.ids)], 'alert', 'trigger', 'filled/' || n.id, 'filled', n.id::text,
       clock_timestamp(), '-infinity', 0, '\\x007b7d'
     FROM (SELECT array_agg(id) AS ids FROM pagerduty_alert.key) AS k,
       (SELECT number, nextval('pagerduty_alert.turn') AS id FROM generate_series(1, $1::integer) AS number) AS n`,
    [depth - count],
  )
}
