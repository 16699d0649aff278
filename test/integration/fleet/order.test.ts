import assert from 'node:assert/strict'
import fc from 'fast-check'
import { after, test } from 'node:test'
import type { Engine, FleetResult, KeyRequest } from '../../../src/fleet/engine.ts'
import {
  claimAll,
  emptyFleet,
  fleetItem,
  openTestFleet,
  PASSWORD,
  startFleetCluster,
  takeFrom,
  whatOf,
} from '../../support/fleet.ts'
import { NEEDS_POSTGRES } from '../../support/postgres.ts'
import { skipWithout } from '../../support/required.ts'
import { alertItem } from '../../support/spool.ts'

const skip = skipWithout(...NEEDS_POSTGRES)
const cluster = skip === false ? await startFleetCluster() : undefined
after(() => cluster?.close())
const url = cluster?.url('relay', PASSWORD) ?? ''

const RELAYS = ['one', 'two', 'three']
const ALERTS = ['a', 'b']

/** A history: for each alert the relays that its events are posted to, one after the other; and what befalls those who deliver. */
const HISTORY = fc.record({
  posts: fc.array(fc.record({ alert: fc.constantFrom(...ALERTS), relay: fc.nat(RELAYS.length - 1) }), {
    maxLength: 40,
  }),
  results: fc.array(fc.constantFrom('delivered', 'delivered', 'postponed', 'dead', 'late'), {
    minLength: 1,
    maxLength: 30,
  }),
})

/** More than any history takes. */
const MAX_TURNS = 1000

interface Attempted {
  readonly alert: string
  readonly number: number
}

test(
  'whichever relays add and deliver, no event of an alert overtakes another, and none is stuck',
  { skip },
  async (t) => {
    const engines = RELAYS.map((name) => openTestFleet(t, url, name))
    await fc.assert(
      fc.asyncProperty(HISTORY, async ({ posts, results }) => {
        if (cluster !== undefined) await emptyFleet(cluster)
        const seen: Seen = { attempted: [], dead: new Set() }
        let isPosted = false
        const posting = Promise.all(ALERTS.map((alert) => postAll(engines, alert, posts))).then(
          () => (isPosted = true),
        )
        const delivering = engines.map((engine, index) =>
          deliver(
            engine,
            results.slice(index),
            seen,
            async () => isPosted && (await engine.pending('all')) === 0,
          ),
        )
        await Promise.all([posting, ...delivering])
        for (const alert of ALERTS) {
          const expected = posts.filter((post) => post.alert === alert).map((_, number) => number)
          // What is repeated after a lost lease must not come after a later event.
          const numbers = seen.attempted.filter((event) => event.alert === alert).map(({ number }) => number)
          assert.deepEqual(
            numbers,
            numbers.toSorted((a, b) => a - b),
            alert,
          )
          assert.deepEqual([...new Set(numbers)], expected, alert)
        }
        const counts = (await engines[0]?.counts()) ?? { pending: 0, delivered: 0, dead: 0 }
        assert.deepEqual([counts.pending, counts.delivered + counts.dead], [0, posts.length])
        // One that another relay has delivered after all is not dead.
        assert.ok(counts.dead <= seen.dead.size)
      }),
      { numRuns: 20, endOnFailure: true },
    )
  },
)

interface Seen {
  readonly attempted: Attempted[]
  readonly dead: Set<string>
}

/** Posts the events of one alert, each after the former was acknowledged, to the relays that the history says. */
async function postAll(
  engines: readonly Engine[],
  alert: string,
  posts: readonly { readonly alert: string; readonly relay: number }[],
): Promise<void> {
  for (const [number, { relay }] of posts.filter((post) => post.alert === alert).entries())
    await engines[relay]?.add([fleetItem(alertItem('trigger', `${alert}/${number}`), { dedupKey: alert })])
}

/** Claims, takes and settles until all is done; now and then the lease is lost between an attempt and its result. */
async function deliver(
  engine: Engine,
  results: readonly string[],
  { attempted, dead }: Seen,
  isDone: () => Promise<boolean>,
): Promise<void> {
  let keys: KeyRequest[] = []
  for (let turn = 0; !(await isDone()); turn++) {
    const claimed = await claimAll(engine)
    keys = [...keys.filter(({ keyId }) => claimed.every((key) => key.keyId !== keyId)), ...claimed]
    const { events, keys: states } = await engine.take(takeFrom(keys))
    keys = keys.filter(({ keyId }) => states.every((state) => state.keyId !== keyId || !state.isLost))
    assert.ok(turn < MAX_TURNS, 'an event is stuck')
    const result = results[turn] ?? 'delivered'
    for (const event of events) {
      const [alert = '', number = ''] = whatOf(event).replace('trigger ', '').split('/')
      attempted.push({ alert, number: Number(number) })
    }
    if (result === 'late') await engine.release()
    const settled = resultOf(result)
    const became = await engine.settle(events.map((event) => ({ ...event, ...settled })))
    if (settled.kind === 'dead')
      for (const [index, event] of events.entries()) if (became[index] === 'settled') dead.add(whatOf(event))
  }
}

function resultOf(result: string): FleetResult {
  if (result === 'postponed') return { kind: 'postponed', reason: 'HTTP 500', httpStatus: 500, waitMs: 5 }
  if (result === 'dead') return { kind: 'dead', cause: 'refused', reason: 'HTTP 400', httpStatus: 400 }
  return { kind: 'delivered', httpStatus: 202 }
}
