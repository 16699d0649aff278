import { availableParallelism, cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { ratios, type Fact } from './fact.ts'
import { addAlerts, namedKeys, type BenchFleet } from './fleet-relays.ts'
import { killRelay, spoolFolder, type Relay } from './relays.ts'
import type { Bench } from './section.ts'
import { median } from './statistics.ts'
import { show } from './target.ts'

const KEYS = 1000
const EVENTS_OF_KEY = 12
const ROUNDS = 2
/** A lease lasts twice as long as an attempt may, and a fifth of that passes between renewals (`src/fleet`). */
const [LEASE_TIMEOUTS, RENEWAL_PART] = [2, 1 / 5]
const TIMEOUT_MS = 10_000
const NUMBERS = ['one', 'two', 'three'] as const
/** No part of this takes longer unless something is broken. */
const PATIENCE_MS = 60_000

/** Lets one relay and then three deliver the same backlog to a PagerDuty at the end of the long path, in turns. */
export async function measureDelivering(fleet: BenchFleet, bench: Bench): Promise<Fact[]> {
  const one: Delivered[] = []
  const three: Delivered[] = []
  for (let round = 0; round < (bench.isSmoke ? 1 : ROUNDS); round++) {
    one.push(await deliverBacklog(fleet, bench, 1))
    three.push(await deliverBacklog(fleet, bench, 3))
  }
  const ratesOf = (delivered: readonly Delivered[]): number[] => delivered.map(({ rate }) => rate)
  const cpuMs = (delivered: readonly Delivered[]): number => median(delivered.map((each) => each.cpuMs))
  const ceiling = (1000 * availableParallelism()) / cpuMs(three) / median(ratesOf(one))
  return [
    {
      name: 'Delivered a second over 50 ms, of 1,000 keys',
      unit: '',
      values: ratesOf(one),
      remark: `one relay; ${show(cpuMs(one))} ms of the processors an event`,
      target: { limit: 1833, isLeast: true, floor: 'PagerDuty accepts 110 a minute of each key' },
    },
    {
      name: 'Delivered a second by three relays ÷ by one',
      unit: '',
      values: ratios(ratesOf(three), ratesOf(one)),
      remark: `${show(median(ratesOf(three)))} a second; ${show(cpuMs(three))} ms of the processors an event`,
      target: {
        limit: 1.3,
        isLeast: true,
        floor: `relays, database, PagerDuty and the path share the processors here; if these never paused: ${show(ceiling)}`,
      },
    },
  ]
}

interface Delivered {
  /** Events a second from the first one that is delivered to the last one. */
  readonly rate: number
  /** What all processors of the machine did for an event. */
  readonly cpuMs: number
}

async function deliverBacklog(fleet: BenchFleet, bench: Bench, count: number): Promise<Delivered> {
  const { names, setting } = namedKeys(bench.isSmoke ? 50 : KEYS)
  await fleet.empty()
  const relays = await startRelays(fleet, bench, { names: NUMBERS.slice(0, count), setting })
  // Nobody can claim the keys until all events are there, so that the relays start together.
  const keys = await fleet.query<{ id: number }>(
    `INSERT INTO pagerduty_alert.key (name, owner, lease_until) SELECT unnest($1::text[]), $2, 'infinity'
     RETURNING id::integer`,
    [names, fleet.engine.origin],
  )
  await addAlerts(fleet.engine, names, EVENTS_OF_KEY)
  const startedMs = busyMs()
  const keyIds = keys.map(({ id }) => id)
  await fleet.engine.release(
    keyIds.map((keyId) => ({ keyId, epoch: 0 })),
    keyIds,
  )
  const events = names.length * EVENTS_OF_KEY
  await until(fleet, `(SELECT count(*) FROM pagerduty_alert.delivered) = ${events}`)
  const cpuMs = (busyMs() - startedMs) / events
  const [took] = await fleet.query<{ seconds: number }>(
    'SELECT extract(epoch FROM max(settled_at) - min(settled_at))::float8 AS seconds FROM pagerduty_alert.delivered',
  )
  await Promise.all(relays.map(killRelay))
  return { rate: events / (took?.seconds ?? Number.NaN), cpuMs }
}

/** How long all processors together have worked since the machine started. */
function busyMs(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0)
}

interface FleetRelayOptions {
  /** PAGERDUTY_ROUTING_KEY */
  readonly setting: string
  /** How long one attempt may take; a lease lasts twice as long. */
  readonly timeoutMs?: number
}

async function startOne(
  fleet: BenchFleet,
  { servers, folder, signal }: Bench,
  { name, setting, timeoutMs = TIMEOUT_MS }: FleetRelayOptions & { readonly name: string },
): Promise<Relay> {
  return await fleet.startRelay({
    name,
    upstreamUrl: servers.farUrl,
    spool: spoolFolder(folder, `fleet-${name}`),
    env: { PAGERDUTY_ROUTING_KEY: setting, PAGERDUTY_TIMEOUT: `${timeoutMs}ms` },
    signal,
  })
}

/** Starts relays, and waits until each knows about the others: its share of the keys depends on that. */
async function startRelays(
  fleet: BenchFleet,
  bench: Bench,
  { names, ...options }: FleetRelayOptions & { readonly names: readonly string[] },
): Promise<Relay[]> {
  const relays: Relay[] = []
  for (const name of names) relays.push(await startOne(fleet, bench, { ...options, name }))
  await until(fleet, `(SELECT count(*) FROM pagerduty_alert.relay) = ${names.length}`)
  if (names.length > 1) await sleep(1.1 * RENEWAL_PART * LEASE_TIMEOUTS * TIMEOUT_MS)
  return relays
}

async function until(fleet: BenchFleet, condition: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  for (;;) {
    const [row] = await fleet.query<{ is_met: boolean }>(`SELECT ${condition} AS is_met`)
    if (row?.is_met === true) return
    if (performance.now() > endMs) throw new Error(`the fleet took too long: ${condition}`)
    await sleep(50)
  }
}

const TAKEOVERS = 2
const TAKEOVER_TIMEOUT_MS = 2500

/** From a relay's death until another one has delivered for all its keys. */
export async function measureTakeover(fleet: BenchFleet, bench: Bench): Promise<Fact[]> {
  return [
    {
      name: 'A killed relay’s keys are delivered for again, ÷ lease',
      unit: '',
      values: await takeovers(fleet, bench),
      target: { limit: 1.5, floor: '1: nobody may deliver for a key before its lease ends' },
    },
  ]
}

/** Kills a relay that owns every key beside one that owns none yet, and adds an event of each key. */
async function takeovers(fleet: BenchFleet, bench: Bench): Promise<number[]> {
  const { names, setting } = namedKeys(50)
  const found: number[] = []
  const options = { setting, timeoutMs: TAKEOVER_TIMEOUT_MS }
  for (let round = 0; round < (bench.isSmoke ? 1 : TAKEOVERS); round++) {
    await fleet.empty()
    const first = await startOne(fleet, bench, { ...options, name: 'one' })
    await addAlerts(fleet.engine, names, 1)
    await until(fleet, `(SELECT count(*) FROM pagerduty_alert.delivered) = ${names.length}`)
    const second = await startOne(fleet, bench, { ...options, name: 'two' })
    await killRelay(first)
    const killedAtMs = performance.now()
    await addAlerts(fleet.engine, names, 1)
    await until(fleet, `(SELECT count(*) FROM pagerduty_alert.delivered) = ${names.length * 2}`)
    found.push((performance.now() - killedAtMs) / (LEASE_TIMEOUTS * TAKEOVER_TIMEOUT_MS))
    await killRelay(second)
  }
  return found
}
