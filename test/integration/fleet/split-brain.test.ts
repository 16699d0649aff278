import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeCutOffNetwork } from '../../support/cut-off-network.ts'
import { createFleetRelays } from '../../support/fleet-relays.ts'
import { PASSWORD, startFleetCluster } from '../../support/fleet.ts'
import { NEEDS_STANDBYS } from '../../support/postgres.ts'
import { KEY } from '../../support/program.ts'
import { alertBody, post } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { temporaryDirectory } from '../../support/spool.ts'
import { until } from '../../support/until.ts'
import { startSimulator, type Simulator } from '../../../tools/simulator/simulator.ts'

const skip = skipWithout(...NEEDS_STANDBYS, 'namespaces')
const network = skip === false ? makeCutOffNetwork() : undefined
const cluster =
  network === undefined
    ? undefined
    : await startFleetCluster({
        nodes: 3,
        settings: ["listen_addresses = '*'"],
        access: ['host all relay 10.213.0.0/16 scram-sha-256', 'host replication admin 10.213.0.0/16 trust'],
        standbyNetwork: network,
      })
const fleet = cluster === undefined ? undefined : await createFleetRelays(cluster)
after(async () => {
  await fleet?.close()
  await cluster?.close()
  network?.remove()
})
const TOKEN = 'token-of-the-test'

test(
  'a primary that is cut off from its standbys acknowledges nothing to the relays that still reach it, and nothing is lost',
  { skip },
  async (t) => {
    if (cluster === undefined || network === undefined || fleet === undefined) return
    const simulator = await startSimulator({ host: '0.0.0.0' })
    t.after(() => simulator.close())
    const [old, ...standbys] = cluster.nodes
    const env = {
      PAGERDUTY_TIMEOUT: '1s', // so that leases are short
      PAGERDUTY_FLEET_ALONE: 'never',
      PAGERDUTY_RELAY_TOKEN: TOKEN,
    }
    const spool = temporaryDirectory(t)
    const hosts = [`localhost:${old?.port}`, ...standbys.map(({ port }) => `127.0.0.1:${port}`)]
    const startBesideStandbys = (directory: string): ReturnType<typeof network.startRelay> =>
      network.startRelay({
        ...env,
        PAGERDUTY_TOKEN: KEY,
        PAGERDUTY_EVENTS_URL: `http://localhost:${simulator.port}`,
        PAGERDUTY_FLEET: `postgres://relay:${PASSWORD}@${hosts.join()}/pagerduty`,
        PAGERDUTY_SPOOL: directory,
      })
    const besideOld = await fleet.start('beside old', {
      ...env,
      PAGERDUTY_EVENTS_URL: simulator.url,
      PAGERDUTY_SPOOL: spool,
    })
    const besideStandbys = await startBesideStandbys(temporaryDirectory(t))
    t.after(() => besideStandbys.kill())
    const received = (): string[] => whatReached(simulator)
    const untilReceived = (what: string): Promise<void> => until(() => received().includes(what), what)
    await until(async () => (await send(besideStandbys, 'trigger other')) === 'fleet', 'both have joined')
    await until(async () => (await send(besideOld, 'trigger one')) === 'fleet', 'both have joined')
    await untilReceived('trigger one')

    network.cut(old?.port ?? 0)
    assert.equal(await send(besideOld, 'resolve one'), 'spool')
    assert.equal(await send(besideOld, 'trigger two'), 'spool')
    assert.equal(await send(besideStandbys, 'resolve other'), 'spool')
    await cluster.promote()
    await untilReceived('resolve other')
    await until(
      async () => (await send(besideStandbys, 'trigger third')) === 'fleet',
      'it has found the new one',
    )
    await untilReceived('trigger third')
    assert.equal(await send(besideOld, 'resolve two'), 'spool')
    assert.ok(!received().includes('resolve one'), 'what was not acknowledged is not delivered')

    await old?.kill()
    await besideOld.stop('SIGKILL')
    const moved = await startBesideStandbys(spool)
    t.after(() => moved.kill())
    for (const what of ['resolve one', 'resolve two']) await untilReceived(what)
    const ofOne = received().filter((what) => /(one|two)$/.test(what))
    assert.ok(ofOne.indexOf('resolve two') > ofOne.indexOf('trigger two'))
    assert.equal(ofOne.filter((what) => what.startsWith('resolve')).length, 2, 'each was delivered once')
  },
)

/** Posts an event such as `trigger one`. @returns who has accepted it */
async function send({ url }: { readonly url: string }, what: string): Promise<string | null> {
  const [action, dedupKey] = what.split(' ')
  const body = alertBody({ event_action: action, dedup_key: dedupKey })
  const answer = await post(`${url}/v2/enqueue`, body, { authorization: `Bearer ${TOKEN}` })
  await answer.body?.cancel()
  assert.equal(answer.status, 202)
  return answer.headers.get('x-accepted-by')
}

function whatReached({ requests }: Simulator): string[] {
  return requests.map(({ json }) => {
    const { event_action: action, dedup_key: dedupKey } = json as Record<string, string>
    return `${action} ${dedupKey}`
  })
}
