import { after, beforeEach, type TestContext } from 'node:test'
import { parseFleetUrl } from '../../src/config/fleet-url.ts'
import type { FleetConfig } from '../../src/config/fleet.ts'
import type { Event } from '../../src/core/event.ts'
import { createSecret } from '../../src/core/secret.ts'
import type { Engine, KeyRequest, Rate, TakeRequest } from '../../src/fleet/engine.ts'
import type { FleetItem } from '../../src/fleet/fleet-items.ts'
import { migrateFleet } from '../../src/fleet/migrate.ts'
import { openFleet } from '../../src/fleet/open.ts'
import { toRow } from '../../src/spool/rows.ts'
import type { SpoolItem } from '../../src/spool/spool.ts'
import { NEEDS_POSTGRES, startCluster, type Cluster, type ClusterOptions } from './postgres.ts'
import { skipWithout } from './required.ts'
import { until } from './until.ts'

/** A cluster with the fleet's tables, and the users `relay` and `viewer` with a password each. */
export async function startFleetCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await startCluster(options)
  try {
    await migrateFleet(fleetConfig(cluster.url()))
    await cluster.primary().query(`
      CREATE ROLE relay LOGIN PASSWORD '${PASSWORD}' IN ROLE pagerduty_relay;
      CREATE ROLE viewer LOGIN PASSWORD '${PASSWORD}' IN ROLE pagerduty_viewer`)
    return cluster
  } catch (error) {
    await cluster.close()
    throw error
  }
}

/** What the tests of a file share; only `skip` says anything if they cannot run here. */
export interface SharedFleet {
  readonly skip: string | false
  readonly cluster?: Cluster
  /** The address for relays. */
  readonly url: string
}

/** A cluster for the tests of a file, empty before each of them. Call it at the top of the file. */
export async function shareFleet(): Promise<SharedFleet> {
  const skip = skipWithout(...NEEDS_POSTGRES)
  if (skip !== false) return { skip, url: '' }
  const cluster = await startFleetCluster()
  after(() => cluster.close())
  beforeEach(() => emptyFleet(cluster))
  return { skip, cluster, url: cluster.url('relay', PASSWORD) }
}

export const PASSWORD = 'password-of-the-test'

/** @param secret PAGERDUTY_FLEET_SECRET */
export function fleetConfig(url: string, secret?: string): FleetConfig {
  return {
    server: parseFleetUrl(url),
    aloneAfterMs: 60_000,
    limit: 1_000_000,
    ...(secret !== undefined && { secret: createSecret(secret) }),
  }
}

/** The engine of one relay, closed after the test. */
export function openTestFleet(t: TestContext, url: string, origin = 'relay-1', secret?: string): Engine {
  const engine = openFleet({ fleet: fleetConfig(url, secret), origin, version: '0.0.0' })
  t.after(() => engine.close())
  return engine
}

/** Removes every event and key. */
export async function emptyFleet(cluster: Cluster): Promise<void> {
  await cluster
    .primary()
    .query(
      'TRUNCATE pagerduty_alert.pending, pagerduty_alert.delivered, pagerduty_alert.dead, pagerduty_alert.discarded, ' +
        'pagerduty_alert.key, pagerduty_alert.permit, pagerduty_alert.relay, pagerduty_alert.relay_process, pagerduty_alert.deployment, pagerduty_alert.told, ' +
        'pagerduty_alert.deadline',
    )
}

/** How many deadlocks the server has seen, once all relays are gone: it counts them when a connection ends, at the latest. */
export async function deadlocksOf(cluster: Cluster | undefined): Promise<number> {
  await untilRelaysAreGone(cluster)
  return await count(
    cluster,
    'SELECT sum(deadlocks) AS count FROM pg_stat_database WHERE datname = current_database()',
  )
}

/** Makes the fleet one without a secret, once all relays are gone: one that connects would tell its secret again. */
export async function forgetSecret(cluster: Cluster | undefined): Promise<void> {
  await untilRelaysAreGone(cluster)
  await cluster?.primary().query('UPDATE pagerduty_alert.meta SET secret_mark = NULL')
}

async function untilRelaysAreGone(cluster: Cluster | undefined): Promise<void> {
  const connections = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'relay'"
  await until(async () => (await count(cluster, connections)) === 0, 'all connections have ended')
}

async function count(cluster: Cluster | undefined, text: string): Promise<number> {
  return Number((await cluster?.primary().query<{ count: string }>(text))?.[0]?.count)
}

let lastOriginId = 0

/** An item as a relay adds it. */
export function fleetItem(item: SpoolItem, more: Partial<FleetItem> = {}): FleetItem {
  return { ...toRow(item, 0), originId: String(++lastOriginId), ageMs: 0, ...more }
}

/** More than any test uses. */
export const PLENTY: Rate = { permits: 1_000_000, windowMs: 62_000 }
export const LEASE_MS = 60_000

/** Claims keys by these names, and returns them in the form in which events are asked for. */
export async function claimAll(
  engine: Engine,
  names = ['default'],
  leaseMs = LEASE_MS,
): Promise<KeyRequest[]> {
  const { leases } = await engine.claim({ most: 1000, leaseMs, names })
  return leases.map((lease) => ({ ...lease, most: 1000 }))
}

export function takeFrom(keys: readonly KeyRequest[], more: Partial<TakeRequest> = {}): TakeRequest {
  return { keys, room: 1000, busy: [], rate: PLENTY, ...more }
}

/** What an event says, for assertions: `trigger a`, or a change event's summary. */
export function whatOf({ kind, body }: { readonly kind: Event['kind']; readonly body: string }): string {
  const event = JSON.parse(body) as {
    event_action?: string
    dedup_key?: string
    payload?: { summary: string }
  }
  return kind === 'alert' ? `${event.event_action} ${event.dedup_key}` : (event.payload?.summary ?? '')
}
