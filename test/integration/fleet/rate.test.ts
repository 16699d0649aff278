import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { metricsOf, shareFleetRelays } from '../../support/fleet-relays.ts'
import { alertBody, post, type RunningRelay } from '../../support/relay.ts'
import { until } from '../../support/until.ts'

const { skip, cluster, fleet } = await shareFleetRelays()

/** PagerDuty accepts 120 a minute and key; a fleet sends 110. */
const MOST = 120
const EVENTS = 150

async function start(name: string): Promise<RunningRelay> {
  if (fleet === undefined) throw new Error('skipped')
  return await fleet.start(name, { PAGERDUTY_TIMEOUT: '1s' }) // so that leases are short
}

test('a key has no more attempts in a minute when other relays take it over, twice', { skip }, async () => {
  const received = (): number => fleet?.simulator.requests.length ?? 0
  let owner = await start('first')
  await until(() => /database answers/.test(owner.log()), 'it has joined')
  for (let number = 0; number < EVENTS; number++) {
    const answer = await post(`${owner.url}/v2/enqueue`, alertBody({ dedup_key: `alert-${number}` }))
    await answer.body?.cancel()
    assert.equal(answer.status, 202)
  }
  await until(() => received() >= 100, 'its permits are used')
  for (const name of ['second', 'third']) {
    await owner.stop('SIGKILL')
    owner = await start(name)
    await until(async () => (await metricsOf(owner))['fleet_keys_owned'] === 1, 'the next one owns the key')
    await sleep(1500)
    assert.ok(received() <= MOST, `${received()} attempts`)
  }
  await cluster?.primary().query("UPDATE pagerduty_alert.permit SET given_at = given_at - interval '62 s'")
  const alerts = (): number => fleet?.simulator.alerts.length ?? 0
  await until(() => alerts() === EVENTS, 'a minute later everything is delivered')
})
