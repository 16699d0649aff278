import { join } from 'node:path'
import { DEPLOYMENTS_PAGE, type DeploymentQuery } from '../src/spool/deployment-log.ts'
import { beginAll, beginOne, failedEvent, RELAY_KEY, WORKS } from './deployment-work.ts'
import { quickestMs } from './quickest.ts'
import { addAll, openBenchSpool } from './spool-work.ts'
import type { Point } from './statistics.ts'

/*
 * What deployments cost with more and more of them in a spool: those that have ended, and those that run and have a deadline.
 * Prints the JSON of a `DeploymentCosts`.
 * usage: deployment-depth.ts FOLDER MAX
 */

/** Costs in milliseconds, by the number of deployments. */
export type DeploymentCosts = Readonly<Record<keyof typeof WORKS, readonly Point[]>>

const RUNS = 9
/** The last three do not fit into SQLite’s cache: reading from the system’s is a step in the cost, not its growth. */
const SIZES = [100, 1000, 6000, 8000, 10_000]
const [folder = '', max = '1'] = process.argv.slice(2)
const costs = Object.fromEntries(Object.keys(WORKS).map((name) => [name, [] as Point[]])) as Record<
  keyof typeof WORKS,
  Point[]
>

async function note(name: keyof typeof WORKS, size: number, work: () => unknown): Promise<void> {
  costs[name].push({ size, cost: await quickestMs(RUNS, work) })
}

async function measureEnded(size: number): Promise<void> {
  const spool = await openBenchSpool(join(folder, `ended-${size}`))
  await addAll(
    spool,
    Array.from({ length: size }, (_, number) => ({ event: failedEvent(number), key: RELAY_KEY })),
  )
  const limit = DEPLOYMENTS_PAGE + 1
  const listing = (query: Partial<DeploymentQuery>) => () => spool.deployments.list({ limit, ...query })
  await note('list', size, listing({}))
  await note('filter', size, listing({ environment: 'nowhere' }))
  await note('text', size, listing({ text: 'nowhere' }))
  await note('current', size, listing({ isCurrent: true }))
  await note('figures', size, () => spool.deployments.endedSince(0))
  await spool.close()
}

async function measureRunning(size: number): Promise<void> {
  const spool = await openBenchSpool(join(folder, `running-${size}`))
  let number = size - 2 * RUNS // room for those that are measured
  await beginAll(spool, number)
  await note('start', size, () => beginOne(spool, number++))
  let ended = 0
  await note('outcome', size, () => addAll(spool, [{ event: failedEvent(ended++), key: RELAY_KEY }]))
  await note('expire', size, () => spool.deadlines.expire())
  await note('running', size, () => spool.deployments.list({ limit: DEPLOYMENTS_PAGE + 1 }))
  await spool.close()
}

for (const size of SIZES.filter((each) => each <= Number(max))) {
  await measureEnded(size)
  await measureRunning(size)
}
process.stdout.write(JSON.stringify(costs))
