import type { Engine } from '../src/fleet/engine.ts'
import { openFleet } from '../src/fleet/open.ts'
import type { SpoolItem } from '../src/spool/spool.ts'
import { emptyFleet, fleetConfig, fleetItem, PASSWORD, startFleetCluster } from '../test/support/fleet.ts'
import type { Cluster } from '../test/support/postgres.ts'
import { startRelay, type Relay, type RelayOptions } from './relays.ts'

/** A fleet's database. */
export interface BenchFleet {
  /** Asks the database as its administrator. */
  readonly query: Cluster['nodes'][number]['query']
  /** The benchmark's own connection, for events that no relay accepts. */
  readonly engine: Engine
  readonly startRelay: (options: RelayOptions & { readonly spool: string }) => Promise<Relay>
  /** Removes every event and key. */
  readonly empty: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Starts one node that syncs every commit. A standby on the same machine would share its processors and its disk. */
export async function startBenchFleet(): Promise<BenchFleet> {
  const settings = ['fsync = on', 'shared_buffers = 512MB', 'max_wal_size = 8GB', 'checkpoint_timeout = 1h']
  const cluster = await startFleetCluster({ settings })
  const engine = openFleet({ fleet: fleetConfig(cluster.url()), origin: 'bench', version: '0.0.0' })
  return {
    query: (sql, values) => cluster.primary().query(sql, values),
    engine,
    startRelay: ({ env, ...options }) =>
      startRelay({ ...options, env: { PAGERDUTY_FLEET: cluster.url('relay', PASSWORD), ...env } }),
    empty: () => emptyFleet(cluster),
    close: async () => {
      await engine.close()
      await cluster.close()
    },
  }
}

/** Events in one statement. */
const AT_ONCE = 256

/** Adds events of configured keys, each a different alert: those of the keys take turns. */
export async function addAlerts(engine: Engine, names: readonly string[], perKey: number): Promise<void> {
  const items = Array.from({ length: names.length * perKey }, (_, index) =>
    fleetItem(alertOf(names[index % names.length] ?? '', `bench/${process.pid}/${index}`)),
  )
  for (let from = 0; from < items.length; from += AT_ONCE) await engine.add(items.slice(from, from + AT_ONCE))
}

/** An alert of a configured key. */
export function alertOf(name: string, dedupKey: string): SpoolItem {
  const payload = { summary: 'A deployment failed', source: 'bench', severity: 'error' } as const
  return {
    key: { kind: 'configured', name },
    event: { kind: 'alert', body: { event_action: 'trigger', dedup_key: dedupKey, payload } },
  }
}

/** Names of keys, and the setting that gives a relay a secret for each of them. */
export function namedKeys(count: number): { readonly names: string[]; readonly setting: string } {
  const names = Array.from({ length: count }, (_, index) => `team-${index + 1}`)
  const secret = (index: number): string => `b${String(index).padStart(31, '0')}`
  return { names, setting: names.map((name, index) => `${name}=${secret(index)}`).join(',') }
}
