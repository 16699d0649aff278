import { join } from 'node:path'
import { fleetItem } from '../test/support/fleet.ts'
import { ratios, type Fact } from './fact.ts'
import { alertOf, type BenchFleet } from './fleet-relays.ts'
import { timeSync } from './relay-caller.ts'
import { killRelay, load, NOWHERE, spoolFolder, startRelay, type Relay } from './relays.ts'
import type { Bench } from './section.ts'
import { median } from './statistics.ts'
import { show } from './target.ts'

const CONNECTIONS = 64
const [WARM_ROUNDS, ROUNDS] = [1, 5]
const [SECONDS, CALLER_SECONDS, FLOOR_SECONDS] = [1.5, 0.7, 0.5]
const SYNCS = 300
/** What the two statements of a relay in flight share at 64 connections. */
const ADDED_AT_ONCE = CONNECTIONS / 2

type Figure = 'fleet' | 'spool' | 'database' | 'caller' | 'spoolCaller' | 'sync' | 'roundTrip' | 'one'

/** Loads a relay of a fleet and one with only its spool in turns. Neither can deliver, so only the cost of accepting is left. */
export async function measureAccepting(fleet: BenchFleet, bench: Bench): Promise<Fact[]> {
  const { folder, signal, isSmoke } = bench
  const options = { upstreamUrl: NOWHERE, signal }
  const relays = {
    fleet: await fleet.startRelay({ ...options, name: 'fleet', spool: spoolFolder(folder, 'fleet') }),
    spool: await startRelay({ ...options, name: 'spool', spool: spoolFolder(folder, 'spool') }),
  }
  const rounds: Record<Figure, number>[] = []
  for (let round = 0; round < (isSmoke ? 1 : WARM_ROUNDS + ROUNDS); round++) {
    const figures = await measureRound(fleet, relays, bench)
    if (isSmoke || round >= WARM_ROUNDS) rounds.push(figures)
  }
  await Promise.all(Object.values(relays).map(killRelay))
  return factsOf((figure) => rounds.map((figures) => figures[figure]))
}

async function measureRound(
  { engine }: BenchFleet,
  relays: Readonly<Record<'fleet' | 'spool', Relay>>,
  { servers, folder, signal, isSmoke }: Bench,
): Promise<Record<Figure, number>> {
  const seconds = (full: number): number => (isSmoke ? 0.1 : full)
  const many = async (relay: Relay): Promise<number> => {
    const result = await load(relay, { connections: CONNECTIONS, seconds: seconds(SECONDS), signal })
    return result.count / result.seconds
  }
  const one = async (relay: Pick<Relay, 'url' | 'keys'>): Promise<number> =>
    (await load(relay, { connections: 1, seconds: seconds(CALLER_SECONDS), signal })).p50Ms
  return {
    fleet: await many(relays.fleet),
    spool: await many(relays.spool),
    database: await addedPerSecond(engine, seconds(FLOOR_SECONDS)),
    sync: timeSync(join(folder, 'synced'), isSmoke ? 10 : SYNCS),
    roundTrip: await one({ url: servers.httpUrl, keys: 0 }),
    caller: await one(relays.fleet),
    spoolCaller: await one(relays.spool),
    one: await timeOneAdd(engine, seconds(FLOOR_SECONDS)),
  }
}

/** Events a second, if nothing but the database and its client has something to do. */
async function addedPerSecond(engine: BenchFleet['engine'], seconds: number): Promise<number> {
  const startedAtMs = performance.now()
  let count = 0
  const keepAdding = async (): Promise<void> => {
    while (performance.now() - startedAtMs < seconds * 1000)
      count += (await engine.add(nextItems(ADDED_AT_ONCE))).length
  }
  await Promise.all([keepAdding(), keepAdding()])
  return count / ((performance.now() - startedAtMs) / 1000)
}

/** Median of the milliseconds that adding one event takes, without a relay. */
async function timeOneAdd(engine: BenchFleet['engine'], seconds: number): Promise<number> {
  const startedAtMs = performance.now()
  const times: number[] = []
  for (let lastMs = startedAtMs; lastMs - startedAtMs < seconds * 1000; lastMs = performance.now()) {
    await engine.add(nextItems(1))
    times.push(performance.now() - lastMs)
  }
  return median(times)
}

let made = 0
const nextItems = (count: number) =>
  Array.from({ length: count }, () => fleetItem(alertOf('default', `floor/${made++}`)))

function factsOf(valuesOf: (figure: Figure) => number[]): Fact[] {
  const ideal = valuesOf('sync').map((ms, round) => ms + (valuesOf('roundTrip')[round] ?? Number.NaN))
  const toSpool = (figure: Figure): number[] => ratios(valuesOf(figure), valuesOf('spool'))
  const toIdeal = (figure: Figure): number[] => ratios(valuesOf(figure), ideal)
  return [
    {
      name: 'Accepted a second at 64 connections, fleet ÷ spool',
      unit: '',
      values: toSpool('fleet'),
      remark: `${show(median(valuesOf('fleet')))} and ${show(median(valuesOf('spool')))}`,
      target: {
        limit: 0.5,
        isLeast: true,
        floor: `the database alone, two statements of 32 events at a time: ${show(median(toSpool('database')))}`,
      },
    },
    {
      name: 'One caller’s p50 ÷ (fdatasync + one round trip), fleet',
      unit: '',
      values: toIdeal('caller'),
      remark: `${show(median(valuesOf('caller')))} ms; with only the spool ${show(median(valuesOf('spoolCaller')))} ms`,
      target: {
        limit: 5,
        floor: `the database alone: ${show(median(toIdeal('one')))}; the relay itself with only its spool: ${show(median(toIdeal('spoolCaller')))}`,
      },
    },
  ]
}
