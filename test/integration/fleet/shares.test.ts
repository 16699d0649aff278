import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsOf, shareFleetRelays } from '../../support/fleet-relays.ts'
import { alertBody, keyFor, post, type RunningRelay } from '../../support/relay.ts'
import { until } from '../../support/until.ts'

const { skip, fleet } = await shareFleetRelays()
const KEYS = 36

async function start(name: string): Promise<RunningRelay> {
  if (fleet === undefined) throw new Error('skipped')
  return await fleet.start(name, {
    PAGERDUTY_FLEET_SECRET: 'a-secret-of-at-least-32-characters',
    PAGERDUTY_TIMEOUT: '1s', // so that leases are short
  })
}

/** Waits until each of these relays owns its share of the keys, give or take 20 %. */
async function untilShared(relays: readonly RunningRelay[], when: string): Promise<void> {
  const share = KEYS / relays.length
  await until(async () => {
    const owned = await Promise.all(relays.map(async (relay) => (await metricsOf(relay))['fleet_keys_owned']))
    return owned.every((count = 0) => count >= share * 0.8 && count <= share * 1.2)
  }, `the keys are shared ${when}`)
}

test(
  'keys whose events wait for their retries are shared again when a relay joins or leaves',
  { skip },
  async () => {
    fleet?.simulator.behave({ behaviour: { kind: 'answer', status: 429, headers: { 'retry-after': '1' } } })
    const one = await start('one')
    for (let index = 0; index < KEYS; index++) {
      const body = alertBody({ routing_key: keyFor(`share-${index}`), dedup_key: 'alert' })
      const answer = await post(`${one.url}/v2/enqueue`, body)
      await answer.body?.cancel()
      assert.equal(answer.status, 202)
    }
    await untilShared([one], 'by one')
    const two = await start('two')
    await untilShared([one, two], 'after the second has joined')
    const three = await start('three')
    await untilShared([one, two, three], 'after the third has joined')
    await one.stop('SIGTERM')
    await untilShared([two, three], 'after the first has left')
  },
)
