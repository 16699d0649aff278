import assert from 'node:assert/strict'
import { after, afterEach, beforeEach, test } from 'node:test'
import { createFleetRelays, metricsOf } from '../../support/fleet-relays.ts'
import { emptyFleet, startFleetCluster } from '../../support/fleet.ts'
import { NEEDS_POSTGRES } from '../../support/postgres.ts'
import { alertBody, post, type RunningRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { until } from '../../support/worker.ts'

const skip = skipWithout(...NEEDS_POSTGRES)
const cluster = skip === false ? await startFleetCluster() : undefined
const fleet = cluster === undefined ? undefined : await createFleetRelays(cluster)
after(async () => {
  await fleet?.close()
  await cluster?.close()
})
beforeEach(async () => {
  fleet?.simulator.reset()
  if (cluster !== undefined) await emptyFleet(cluster)
})
afterEach(() => fleet?.killAll())

async function start(name: string, env: Record<string, string> = {}): Promise<RunningRelay> {
  if (fleet === undefined) throw new Error('skipped')
  return await fleet.start(name, env)
}
const isJoined = async (relay: RunningRelay): Promise<boolean> =>
  (await metricsOf(relay))['fleet_engine_up'] === 1 && /database answers/.test(relay.log())

test('what one relay accepts, the fleet delivers, and every relay lists', { skip }, async () => {
  const [one, other] = await Promise.all([start('one'), start('other')])
  await until(async () => (await isJoined(one)) && (await isJoined(other)), 'both have joined')
  const answer = await post(`${one.url}/v2/enqueue`, alertBody({ dedup_key: 'a' }))
  assert.deepEqual([answer.status, answer.headers.get('x-accepted-by')], [202, 'fleet'])
  await until(() => fleet?.simulator.alerts.length === 1, 'it is delivered')
  await until(async () => {
    const { events } = (await (await fetch(`${other.url}/events?status=delivered`)).json()) as {
      events: { dedup_key: string }[]
    }
    return events[0]?.dedup_key === 'a'
  }, 'the other relay lists it')
  assert.equal((await one.stop()).code, 0)
  assert.equal((await other.stop()).code, 0)
})
