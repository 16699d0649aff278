import assert from 'node:assert/strict'
import { after } from 'node:test'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { makeCutOffNetwork, type CutOffNetwork } from './cut-off-network.ts'
import { createFleetRelays, type FleetRelays } from './fleet-relays.ts'
import { PASSWORD, startFleetCluster } from './fleet.ts'
import { NEEDS_POSTGRES, NEEDS_STANDBYS, type Cluster } from './postgres.ts'
import { KEY } from './program.ts'
import { alertBody, post } from './relay.ts'
import { skipWithout } from './required.ts'

/** A database, a network that can be cut off from it, and relays on both sides that send to the same PagerDuty. */
export interface CutOffFleet {
  readonly cluster: Cluster
  readonly network: CutOffNetwork
  /** Relays outside the network; they need `env`. */
  readonly fleet: FleetRelays
  readonly env: Readonly<Record<string, string>>
  /**
   * Starts a relay inside the network.
   * @param hosts the nodes of the database as they are seen from there, where `localhost` is this machine
   */
  readonly startInside: (hosts: readonly string[], spool: string) => ReturnType<CutOffNetwork['startRelay']>
  /** What PagerDuty has received, in order: `trigger one`. */
  readonly received: () => string[]
}

const TOKEN = 'token-of-the-test'

/**
 * Starts all of it, and ends it after the tests of the file. With several nodes, the standbys are inside the network.
 * @returns why the tests are skipped, or false
 */
export async function startCutOffFleet({ nodes = 1 }: { readonly nodes?: number } = {}): Promise<{
  readonly skip: string | false
  readonly parts?: CutOffFleet
}> {
  const skip = skipWithout(...(nodes === 1 ? NEEDS_POSTGRES : NEEDS_STANDBYS), 'namespaces')
  if (skip !== false) return { skip }
  const network = makeCutOffNetwork()
  const cluster = await startFleetCluster({
    nodes,
    settings: ["listen_addresses = '*'"],
    access: ['host all relay 10.213.0.0/16 scram-sha-256', 'host replication admin 10.213.0.0/16 trust'],
    standbyNetwork: network,
  })
  const fleet = await createFleetRelays(cluster)
  const simulator = await startSimulator({ host: '0.0.0.0' })
  after(async () => {
    await fleet.close()
    await cluster.close()
    network.remove()
    await simulator.close()
  })
  const env = {
    PAGERDUTY_TIMEOUT: '1s', // so that leases are short
    PAGERDUTY_FLEET_ALONE: 'never',
    PAGERDUTY_RELAY_TOKEN: TOKEN,
    PAGERDUTY_EVENTS_URL: simulator.url,
  }
  const startInside: CutOffFleet['startInside'] = (hosts, spool) =>
    network.startRelay({
      ...env,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: `http://localhost:${simulator.port}`,
      PAGERDUTY_FLEET: `postgres://relay:${PASSWORD}@${hosts.join()}/pagerduty`,
      PAGERDUTY_SPOOL: spool,
    })
  const received = (): string[] =>
    simulator.requests.map(({ json }) => {
      const { event_action: action, dedup_key: dedupKey } = json as Record<string, string>
      return `${action} ${dedupKey}`
    })
  return { skip, parts: { cluster, network, fleet, env, startInside, received } }
}

/** Posts an event such as `trigger one` to a relay. @returns who has accepted it */
export async function postTo({ url }: { readonly url: string }, what: string): Promise<string | null> {
  const [action, dedupKey] = what.split(' ')
  const body = alertBody({ event_action: action, dedup_key: dedupKey })
  const answer = await post(`${url}/v2/enqueue`, body, { authorization: `Bearer ${TOKEN}` })
  const text = await answer.text()
  assert.equal(answer.status, 202, text)
  return answer.headers.get('x-accepted-by')
}
