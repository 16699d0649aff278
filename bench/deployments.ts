import { join } from 'node:path'
import { ratios, type Measured } from './fact.ts'
import type { DeploymentCosts } from './deployment-depth.ts'
import { beginAll, WORKS } from './deployment-work.ts'
import { readScript } from './processes.ts'
import { load, NOWHERE, spoolFolder, startRelay, type LoadOptions } from './relays.ts'
import type { Bench } from './section.ts'
import { openBenchSpool } from './spool-work.ts'

const OPEN = 9000
/** V8 is still compiling. */
const WARM_ROUNDS = 2
const ROUNDS = 5

/** What deployments cost that begin, end, are watched and are listed. */
export async function measureDeployments(bench: Bench): Promise<Measured> {
  const { folder, signal, isSmoke } = bench
  const args = [join(folder, 'depth'), isSmoke ? '100' : '10000']
  const costs = (await readScript('deployment-depth.ts', args, {
    timeoutMs: 60_000,
    signal,
  })) as DeploymentCosts
  const { alerts, deployments, watched } = await measureRates(bench)
  const most = (name: keyof typeof WORKS) => ({
    name: `${WORKS[name]}, of 10,000`,
    unit: 'ms',
    values: costs[name].slice(-1).map(({ cost }) => cost),
  })
  const blocks = 'it holds the event loop for this long'
  return {
    facts: [
      {
        name: 'Starts and outcomes accepted a second ÷ other alerts',
        unit: '',
        values: ratios(deployments, alerts),
        target: {
          limit: 0.5,
          isLeast: true,
          floor: 'each is an event and a record that is read, merged and written',
        },
      },
      {
        name: 'Alerts accepted a second with 9,000 open deadlines ÷ with none',
        unit: '',
        values: ratios(watched, alerts),
        target: { limit: 0.95, isLeast: true, floor: '1' },
      },
      { ...most('list'), target: { limit: 3, floor: blocks } },
      { ...most('running'), target: { limit: 5, floor: blocks } },
      { ...most('filter'), target: { limit: 10, floor: `${blocks}, and reads all deployments` } },
      { ...most('text'), target: { limit: 30, floor: `${blocks}, and reads the texts of all deployments` } },
      { ...most('current'), target: { limit: 5, floor: blocks } },
      {
        ...most('figures'),
        target: { limit: 30, floor: `${blocks}, at each scrape, and reads all deployments` },
      },
      { ...most('expire'), target: { limit: 2, floor: 'once a second' } },
    ],
    growth: Object.entries(costs).map(([name, points]) => ({
      name: WORKS[name as keyof typeof WORKS],
      unit: 'deployments',
      points,
    })),
  }
}

/** Requests that are answered a second at 64 connections, each a round. */
interface Rates {
  readonly alerts: number[]
  readonly deployments: number[]
  /** Alerts, while thousands of deployments have a deadline. */
  readonly watched: number[]
}

async function measureRates({ folder, signal, isSmoke }: Bench): Promise<Rates> {
  const full = await openBenchSpool(spoolFolder(folder, 'watched'))
  await beginAll(full, isSmoke ? 100 : OPEN)
  await full.close()
  const start = (name: string) =>
    startRelay({ name, upstreamUrl: NOWHERE, spool: spoolFolder(folder, name), signal })
  const [empty, other, watched] = [await start('empty'), await start('other'), await start('watched')]
  const seconds = isSmoke ? 0.2 : 1.5
  const rate = async (relay: typeof empty, kind: LoadOptions['kind'] = 'alerts'): Promise<number> => {
    const found = await load(relay, { connections: 64, seconds, signal, kind })
    return found.count / found.seconds
  }
  const rates: Rates = { alerts: [], deployments: [], watched: [] }
  for (let round = 0; round < (isSmoke ? 1 : WARM_ROUNDS + ROUNDS); round++) {
    const each = [await rate(empty), await rate(other, 'deployments'), await rate(watched)] as const
    if (round < WARM_ROUNDS && !isSmoke) continue
    rates.alerts.push(each[0])
    rates.deployments.push(each[1])
    rates.watched.push(each[2])
  }
  return rates
}
