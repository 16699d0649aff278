import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import type { RecordedRequest } from '../../tools/simulator/recorder.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { startFleetCluster } from '../support/fleet.ts'
import { NEEDS_POSTGRES } from '../support/postgres.ts'
import { skipWithout } from '../support/required.ts'
import { temporaryDirectory } from '../support/spool.ts'
import { REFUSED } from './agreement.ts'
import { createChance } from './chance.ts'
import { judgeFleet } from './fleet-judge.ts'
import { createFleetMembers, runMembers, TIMEOUT_MS } from './fleet-members.ts'
import { untilAllDelivered } from './fleet-rest.ts'

/** Kills of relays and of the database. */
const TROUBLES = Number(process.env['CHAOS_ALONE_KILLS'] ?? 15)
/** It is never killed, so it knows what the fleet has of its alerts. */
const STEADY = 'steady'
const RELAYS = ['one', 'two', STEADY]
const ALERTS = Array.from({ length: 24 }, (_, index) => `alert-${index}`)
const relayOf = (alert: string): string => RELAYS[Number(alert.split('-')[1]) % RELAYS.length] ?? ''
const skip = skipWithout(...NEEDS_POSTGRES)

/**
 * Relays that deliver alone promise less: nothing is lost, and an alert whose events all go to one relay keeps its order unless that
 * relay was killed. An event may be sent a second time, since another relay may reach the database first.
 */
test(
  `after ${TROUBLES} kills of the database and of relays that deliver alone nothing is lost`,
  { skip },
  async (t) => {
    const chance = createChance()
    t.diagnostic(`CHAOS_SEED=${chance.seed}`)
    const simulator = await startSimulator({ host: '0.0.0.0' })
    t.after(() => simulator.close())
    const cluster = await startFleetCluster()
    t.after(() => cluster.close())
    const members = createFleetMembers(simulator, cluster, {
      directory: temporaryDirectory(t),
      chance,
      keyOf: (alert) => alert, // of a key a relay sends only so much alone
      aloneAfter: '500ms',
      relayOf,
    })
    const { writing, end } = await runMembers(t, members, RELAYS)
    simulator.behave({ containing: REFUSED, behaviour: { kind: 'answer', status: 400 } })
    const writers = ALERTS.map((alert) => members.post(alert, 600, writing.signal))
    for (let troubles = 0; troubles < TROUBLES;) {
      await sleep(chance.number() * 800)
      simulator.behave({
        times: 1 + Math.floor(chance.number() * 3),
        behaviour: { kind: 'answer', status: 500 },
      })
      if (chance.number() < 0.6) troubles += Number(await members.killOne(['one', 'two']))
      else {
        await cluster.primary().kill()
        await sleep(chance.number() * 2500)
        if (chance.number() < 0.5) await members.killOne(['one', 'two'])
        await cluster.primary().start()
        troubles++
      }
    }
    writing.abort()
    await Promise.all(writers)
    await untilAllDelivered(cluster, { urls: members.urls, relays: RELAYS.length, patienceMs: 300_000 })
    await end()

    const verdict = judgeFleet(simulator.requests, { ...members, timeoutMs: TIMEOUT_MS })
    const throughSpool = members.throughSpool()
    t.diagnostic(
      JSON.stringify({ accepted: members.accepted.size, throughSpool, repeated: verdict.repeated }),
    )
    assert.ok(members.accepted.size >= TROUBLES && throughSpool > 0, 'there was load')
    assert.deepEqual(verdict.lost, [])
    const steady = firstAttempts(simulator.requests).filter(
      ({ summary, alert }) => members.accepted.has(summary) && relayOf(alert) === STEADY,
    )
    for (const [alert, attempts] of Map.groupBy(steady, (attempt) => attempt.alert)) {
      const numbers = attempts.map(({ number }) => number)
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
        `the order of ${alert}`,
      )
    }
    assert.doesNotMatch(members.logs(), /event is dead(?!.* status=400)|ended on its own/)
  },
)

interface FirstAttempt {
  readonly summary: string
  readonly alert: string
  readonly number: number
}

function firstAttempts(requests: readonly RecordedRequest[]): FirstAttempt[] {
  const summaries = requests.flatMap(({ json }) => {
    const { payload } = (json ?? {}) as { payload?: { summary: string } }
    return payload?.summary ?? []
  })
  return [...new Set(summaries)].map((summary) => {
    const [alert = '', number = ''] = summary.split(' ')
    return { summary, alert, number: Number(number) }
  })
}
