import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach } from 'node:test'
import { startSimulator, type Simulator } from '../../tools/simulator/simulator.ts'
import { PASSWORD, shareFleet, type SharedFleet } from './fleet.ts'
import type { Cluster } from './postgres.ts'
import { KEY } from './program.ts'
import { startRelay, type RunningRelay } from './relay.ts'

/** Relays of one fleet, as processes of their own, and the PagerDuty that they send to. */
export interface FleetRelays {
  readonly simulator: Simulator
  /** The environment of a relay; the same name is the same relay with the same spool. */
  readonly environment: (name: string) => Record<string, string>
  /** Starts a relay. */
  readonly start: (name: string, env?: Readonly<Record<string, string>>) => Promise<RunningRelay>
  /** Kills every relay that still runs. */
  readonly killAll: () => Promise<void>
  readonly close: () => Promise<void>
}

/** The same as `shareFleet`, with relays that end after each test. */
export async function shareFleetRelays(): Promise<SharedFleet & { readonly fleet?: FleetRelays }> {
  const shared = await shareFleet()
  if (shared.cluster === undefined) return shared
  const fleet = await createFleetRelays(shared.cluster)
  after(() => fleet.close())
  beforeEach(() => fleet.simulator.reset())
  afterEach(() => fleet.killAll())
  return { ...shared, fleet }
}

/** No relay yet. */
export async function createFleetRelays(cluster: Cluster): Promise<FleetRelays> {
  const simulator = await startSimulator()
  const root = mkdtempSync(join(tmpdir(), 'fleet-'))
  const running = new Set<RunningRelay>()
  const killAll = async (): Promise<void> => {
    await Promise.all([...running].map((relay) => relay.stop('SIGKILL')))
    running.clear()
  }
  const environment = (name: string): Record<string, string> => ({
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_EVENTS_URL: simulator.url,
    PAGERDUTY_FLEET: cluster.url('relay', PASSWORD),
    PAGERDUTY_SPOOL: join(root, name),
  })
  return {
    simulator,
    killAll,
    environment,
    start: async (name, env = {}) => {
      const relay = await startRelay({ ...environment(name), ...env })
      running.add(relay)
      return relay
    },
    close: async () => {
      await killAll()
      await simulator.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** The metrics of a relay without labels, by their names without prefix. */
export async function metricsOf({ url }: RunningRelay): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith('pagerduty_alert_') && !line.includes('{'))
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', value] = line.slice('pagerduty_alert_'.length).split(' ')
      return [name, Number(value)]
    }),
  )
}
