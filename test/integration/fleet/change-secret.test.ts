import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareFleetRelays } from '../../support/fleet-relays.ts'
import { alertBody, keyFor, post, type RunningRelay } from '../../support/relay.ts'
import { until } from '../../support/until.ts'

const { skip, fleet } = await shareFleetRelays()

const [OLD, NEW] = ['an-old-secret-of-at-least-32-characters', 'a-new-secret-of-at-least-32-characters']
const NAMES = ['one', 'two', 'three']
/** The settings of each step that docs/fleet.md tells. */
const STEPS: readonly Readonly<Record<string, string>>[] = [
  { PAGERDUTY_FLEET_SECRET: OLD },
  { PAGERDUTY_FLEET_SECRET: OLD, PAGERDUTY_FLEET_OTHER_SECRET: NEW },
  { PAGERDUTY_FLEET_SECRET: NEW, PAGERDUTY_FLEET_OTHER_SECRET: OLD },
  { PAGERDUTY_FLEET_SECRET: NEW },
]
/** Keys that callers bring: each is stored encrypted. */
const KEYS = Array.from({ length: 2 }, (_, index) => keyFor(`caller-${index}`))

test('the secret of three relays is changed while they accept and deliver', { skip }, async () => {
  if (fleet === undefined) return
  const { simulator, start } = fleet
  const relays = new Map<string, RunningRelay>()
  const sent: string[] = []
  const delivered = (): string[] =>
    simulator.requests.map(({ json }) => (json as { dedup_key: string }).dedup_key)
  const settings = async (name: string, env: Readonly<Record<string, string>>): Promise<void> => {
    await relays.get(name)?.stop()
    const relay = await start(name, env)
    relays.set(name, relay)
    await until(() => /database answers/.test(relay.log()), `${name} has joined`)
  }
  const sendToEach = async (): Promise<void> => {
    for (const [name, { url }] of relays) {
      for (const routingKey of [undefined, ...KEYS]) {
        const dedupKey = `${name} ${sent.length}`
        const own = routingKey === undefined ? {} : { routing_key: routingKey }
        const answer = await post(`${url}/v2/enqueue`, alertBody({ dedup_key: dedupKey, ...own }))
        await answer.body?.cancel()
        assert.equal(answer.status, 202)
        sent.push(dedupKey)
      }
    }
  }
  for (const [number, env] of STEPS.entries()) {
    const isLast = number === STEPS.length - 1
    if (isLast)
      await until(
        () => new Set(delivered()).size >= sent.length,
        'what is encrypted with the old one is delivered',
      )
    if (number === 0) await Promise.all(NAMES.map((name) => settings(name, env)))
    for (const name of NAMES) {
      if (number > 0) await settings(name, env)
      await sendToEach()
    }
  }
  await until(() => new Set(delivered()).size >= sent.length, 'all are delivered')
  assert.deepEqual(new Set(delivered()), new Set(sent))
  // One that is behind can join, and changes nothing back: who does not know the new secret is still told so.
  await settings('one', STEPS[1] ?? {})
  const late = await start('late', { PAGERDUTY_FLEET_SECRET: OLD })
  await until(() => /the other relays have a different PAGERDUTY_FLEET_SECRET/.test(late.log()), 'it says so')
})
