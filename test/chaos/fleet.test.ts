import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import type { Behaviour } from '../../tools/simulator/behaviour.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { formatCount, recordFigure } from '../support/figures.ts'
import { deadlocksOf, startFleetCluster } from '../support/fleet.ts'
import { NEEDS_STANDBYS } from '../support/postgres.ts'
import { skipWithout } from '../support/required.ts'
import { temporaryDirectory } from '../support/spool.ts'
import { REFUSED } from './agreement.ts'
import { createChance } from './chance.ts'
import { judgeFleet } from './fleet-judge.ts'
import { troubleNodes } from './fleet-nodes.ts'
import { untilAllDelivered } from './fleet-rest.ts'
import { createFleetMembers, runMembers, TIMEOUT_MS } from './fleet-members.ts'

/** Kills and freezes; `npm run chaos` has more patience. */
const KILLS = Number(process.env['CHAOS_KILLS'] ?? 50)
const RELAYS = ['one', 'two', 'three']
/** In a long run the alerts of a key together have more events than it may send a minute. */
const KEYS = KILLS > 100 ? 10 : 20
const ALERTS = Array.from({ length: 40 }, (_, index) => `alert-${index}`)
/** Alerts that PagerDuty answers with 500 until the end; each has the key of others. */
const POISON = Array.from({ length: 5 }, (_, index) => `poison-${index}`)
/** Between two events of an alert, on average. */
const PAUSE_MS = 1200
const FAULTS: readonly Behaviour[] = [
  { kind: 'answer', status: 500 },
  { kind: 'answer', status: 429, headers: { 'retry-after': '0' } },
  { kind: 'reset', after: 'body' },
  { kind: 'reset', after: 'half-answer' },
  { kind: 'hang', after: 'request' },
  { kind: 'usual', delayMs: 50 },
]
const skip = skipWithout(...NEEDS_STANDBYS)

test(
  `after ${KILLS} kills and freezes of three relays and three nodes nothing is lost, overtaken or repeated for no reason`,
  { skip },
  async (t) => {
    const chance = createChance()
    t.diagnostic(`CHAOS_SEED=${chance.seed}`)
    const simulator = await startSimulator({ host: '0.0.0.0' })
    t.after(() => simulator.close())
    const cluster = await startFleetCluster({ nodes: 3 })
    t.after(() => cluster.close())
    const keyOf = (alert: string): string => `key-${Number(alert.split('-')[1]) % KEYS}`
    const members = createFleetMembers(simulator, cluster, {
      directory: temporaryDirectory(t),
      chance,
      keyOf,
    })
    const { writing, end } = await runMembers(t, members, RELAYS)
    simulator.behave({ containing: 'poison', behaviour: { kind: 'answer', status: 500 } })
    simulator.behave({ containing: REFUSED, behaviour: { kind: 'answer', status: 400 } })
    const writers = [
      ...ALERTS.map((alert) => members.post(alert, PAUSE_MS, writing.signal)),
      ...POISON.map((alert) => members.postOnce(alert, writing.signal)),
    ]
    const counts = { kills: 0, freezes: 0, 'node kills': 0, 'node freezes': 0 }
    const onTrouble = (what: 'kill' | 'freeze'): number => counts[`node ${what}s`]++
    const nodes = troubleNodes(cluster, { chance, troubles: members.troubles, onTrouble }, writing.signal)
    while (Object.values(counts).reduce((sum, count) => sum + count, 0) < KILLS) {
      await sleep(200 + chance.number() * 600)
      simulator.behave({ times: 1 + Math.floor(chance.number() * 8), behaviour: chance.pick(FAULTS) })
      if (chance.number() < 0.8) counts.kills += Number(await members.killOne())
      else counts.freezes += Number(members.freezeOne())
    }
    members.thawAll()
    writing.abort()
    await Promise.all([...writers, nodes])
    simulator.behave({ containing: 'poison', behaviour: { kind: 'usual' } })
    const posted = Date.now()
    await untilAllDelivered(cluster, {
      urls: members.urls,
      relays: RELAYS.length,
      patienceMs: 300_000 + KILLS * 1000,
    })
    const [{ dead } = { dead: 0 }] = await cluster
      .primary()
      .query<{ dead: number }>('SELECT count(*)::int AS dead FROM pagerduty_alert.dead')
    t.diagnostic(`rest ${Date.now() - posted}`)
    await end()

    const verdict = judgeFleet(simulator.requests, { ...members, timeoutMs: TIMEOUT_MS })
    const figures = {
      ...counts,
      accepted: members.accepted.size,
      throughSpool: members.throughSpool(),
      requests: simulator.requests.length,
    }
    t.diagnostic(JSON.stringify({ ...figures, ...verdict }, undefined, 1))
    assert.ok(members.accepted.size >= KILLS, 'there was load')
    const { lost, overtaken, repeatedForNoReason, mostPerMinute } = verdict
    assert.deepEqual(
      { lost, overtaken, repeatedForNoReason },
      { lost: [], overtaken: [], repeatedForNoReason: [] },
    )
    assert.ok(mostPerMinute <= 120, `${mostPerMinute} attempts of a key in a minute`)
    assert.equal(await deadlocksOf(cluster), 0) // of the last primary; one that was killed forgets its own
    const refused = [...members.accepted].filter((summary) => summary.includes(REFUSED)).length
    assert.ok(dead >= refused, `${dead} dead, ${refused} refused`)
    assert.doesNotMatch(members.logs(), /event is dead(?!.* status=400)|ended on its own/)
    const troubles = Object.values(counts).reduce((sum, count) => sum + count, 0)
    for (const [name, count] of Object.entries({
      troubles,
      accepted: members.accepted.size,
      requests: simulator.requests.length,
      repeated: verdict.repeated,
      'most in a minute': mostPerMinute,
    }))
      recordFigure(`fleet chaos ${name}`, formatCount(count))
  },
)
