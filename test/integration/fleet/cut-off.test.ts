import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeCutOffNetwork } from '../../support/cut-off-network.ts'
import { createFleetRelays } from '../../support/fleet-relays.ts'
import { PASSWORD, startFleetCluster } from '../../support/fleet.ts'
import { NEEDS_POSTGRES } from '../../support/postgres.ts'
import { KEY } from '../../support/program.ts'
import { alertBody, post } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { temporaryDirectory } from '../../support/spool.ts'
import { until } from '../../support/until.ts'
import { startSimulator } from '../../../tools/simulator/simulator.ts'

const skip = skipWithout(...NEEDS_POSTGRES, 'namespaces')
const settings = ["listen_addresses = '*'"]
const access = ['host all relay 10.213.0.0/16 scram-sha-256']
const cluster = skip === false ? await startFleetCluster({ settings, access }) : undefined
const network = skip === false ? makeCutOffNetwork() : undefined
const fleet = cluster === undefined ? undefined : await createFleetRelays(cluster)
after(async () => {
  await fleet?.close()
  await cluster?.close()
  network?.remove()
})
const TOKEN = 'token-of-the-test'

test(
  'a relay that is cut off from the database accepts, another takes its keys over, and order is kept',
  { skip },
  async (t) => {
    if (cluster === undefined || network === undefined || fleet === undefined) return
    const simulator = await startSimulator({ host: '0.0.0.0' })
    t.after(() => simulator.close())
    const port = cluster.primary().port
    const env = {
      PAGERDUTY_TIMEOUT: '1s', // so that leases are short
      PAGERDUTY_FLEET_ALONE: 'never',
    }
    const cutOff = await network.startRelay({
      ...env,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_RELAY_TOKEN: TOKEN,
      PAGERDUTY_EVENTS_URL: `http://localhost:${simulator.port}`,
      PAGERDUTY_FLEET: `postgres://relay:${PASSWORD}@localhost:${port}/pagerduty`,
      PAGERDUTY_SPOOL: temporaryDirectory(t),
    })
    t.after(() => cutOff.kill())
    const send = async (url: string, dedupKey: string, action: string): Promise<string | null> => {
      const body = alertBody({ dedup_key: dedupKey, event_action: action })
      const answer = await post(`${url}/v2/enqueue`, body, { authorization: `Bearer ${TOKEN}` })
      await answer.body?.cancel()
      assert.equal(answer.status, 202, cutOff.log())
      return answer.headers.get('x-accepted-by')
    }
    const received = (): string[] =>
      simulator.requests.map(({ json }) => {
        const { dedup_key: dedupKey, event_action: action } = json as Record<string, string>
        return `${action} ${dedupKey}`
      })
    await until(async () => (await send(cutOff.url, 'first', 'trigger')) === 'fleet', 'it has joined')
    await until(() => received().includes('trigger first'), 'it owns the key')
    const other = await fleet.start('other', { ...env, PAGERDUTY_EVENTS_URL: simulator.url })
    await until(async () => (await send(other.url, 'second', 'trigger')) === 'fleet', 'the other has joined')

    network.cut(port)
    assert.equal(await send(cutOff.url, 'first', 'resolve'), 'spool')
    assert.equal(await send(other.url, 'third', 'trigger'), 'fleet')
    await until(() => received().includes('trigger third'), 'the other delivers in its place')
    assert.ok(!received().includes('resolve first'), 'it sends nothing while it is cut off')

    network.reconnect()
    await until(() => received().includes('resolve first'), 'what it has accepted is delivered')
    await until(async () => (await send(cutOff.url, 'fourth', 'trigger')) === 'fleet', 'it is back')
    await until(() => received().includes('trigger fourth'), 'everything goes on')
    assert.deepEqual(
      received().filter((what) => what.endsWith('first') && what.startsWith('resolve')),
      ['resolve first'],
    )
  },
)
