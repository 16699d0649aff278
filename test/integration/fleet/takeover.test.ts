import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { metricsOf, shareFleetRelays } from '../../support/fleet-relays.ts'
import { alertBody, keyFor, post, type RunningRelay } from '../../support/relay.ts'
import { stepClock } from '../../support/step-clock.ts'
import { until } from '../../support/until.ts'

const { skip, fleet } = await shareFleetRelays()

/** More than one, so that each relay owns some. */
const KEYS = Array.from({ length: 12 }, (_, index) => keyFor(`fleet-${index}`))
const SECRET = 'a-secret-of-at-least-32-characters'

async function start(name: string): Promise<RunningRelay> {
  if (fleet === undefined) throw new Error('skipped')
  return await fleet.start(name, { PAGERDUTY_FLEET_SECRET: SECRET })
}

interface Sent {
  readonly event_action: string
  readonly dedup_key: string
}
const received = (): Map<string, string[]> => {
  const alerts = new Map<string, string[]>()
  for (const { body } of fleet?.simulator.requests ?? []) {
    const { dedup_key: dedupKey, event_action: action } = JSON.parse(body.toString()) as Sent
    alerts.set(dedupKey, [...(alerts.get(dedupKey) ?? []), action])
  }
  return alerts
}
const send = async (relay: RunningRelay, key: string, event: Sent): Promise<void> => {
  const answer = await post(`${relay.url}/v2/enqueue`, alertBody({ routing_key: key, ...event }))
  await answer.body?.cancel()
  assert.equal(answer.status, 202, relay.log())
}
/** What was received, without what was repeated. */
const withoutRepetitions = (actions: readonly string[]): string[] =>
  actions.filter((action, index) => action !== actions[index - 1])

test(
  'keys of a relay that was killed and of one that froze go on with the third, in order',
  { skip },
  async () => {
    const [killed, frozen, other] = await Promise.all([start('killed'), start('frozen'), start('other')])
    const relays = [killed, frozen, other]
    for (const relay of relays) await until(() => /database answers/.test(relay.log()), 'it has joined')
    // Nothing is settled, so that every relay has events in flight and others that wait for them.
    fleet?.simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
    for (const [index, key] of KEYS.entries()) {
      for (const [step, action] of ['trigger', 'acknowledge', 'resolve'].entries()) {
        const relay = relays[(index + step) % relays.length]
        if (relay !== undefined) await send(relay, key, { event_action: action, dedup_key: `alert-${index}` })
      }
    }
    await until(async () => {
      const owned = await Promise.all(
        relays.map(async (relay) => (await metricsOf(relay))['fleet_keys_owned'] ?? 0),
      )
      return owned.every((count) => count > 0) && owned.reduce((sum, count) => sum + count, 0) === KEYS.length
    }, 'each relay owns some keys')
    killed.program.child.kill('SIGKILL')
    frozen.program.child.kill('SIGSTOP')
    fleet?.simulator.behave({ behaviour: { kind: 'usual' } })
    await until(
      () => [...received().values()].filter((actions) => actions.at(-1) === 'resolve').length === KEYS.length,
      'the third has delivered everything',
      120_000,
    )
    const before = fleet?.simulator.requests.length ?? 0
    frozen.program.child.kill('SIGCONT')
    await until(
      async () => ((await metricsOf(frozen))['fleet_keys_owned'] ?? 0) === 0,
      'it knows what it has lost',
    )
    await sleep(500)
    assert.equal(fleet?.simulator.requests.length, before, 'a relay that wakes up sends nothing new')
    for (const actions of received().values())
      assert.deepEqual(withoutRepetitions(actions), ['trigger', 'acknowledge', 'resolve'])
  },
)

test('a relay keeps its leases while its clock steps by an hour', { skip }, async () => {
  if (fleet === undefined) return
  const clock = stepClock(3_600_000)
  const relay = await fleet.start('stepped', { PAGERDUTY_FLEET_SECRET: SECRET, ...clock })
  fleet.simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
  await send(relay, keyFor('stepped'), { event_action: 'trigger', dedup_key: 'alert' })
  await until(() => received().has('alert'), 'it has the lease of the key')
  for (let look = 0; look < 20; look++) {
    const { fleet_keys_owned: owned, fleet_lease_seconds: leftS = 0 } = await metricsOf(relay)
    assert.equal(owned, 1)
    assert.ok(leftS > 0, 'the lease is not over')
    await sleep(100)
  }
})
