import type { DueOptions, SpoolItem } from '../src/spool/spool.ts'
import { addAll, numberedItem, openBenchSpool } from './spool-work.ts'
import type { Point } from './statistics.ts'

/*
 * What a spool costs with more and more pending events, of a hundred keys. Prints the JSON of a `DepthCosts`.
 * usage: spool-depth.ts FOLDER MAX_DEPTH
 */

/** Costs in milliseconds, by how many events are pending. */
export interface DepthCosts {
  /** Filling it, from empty, a thousand events in each transaction. */
  readonly filling: readonly Point[]
  /** Keeping one more event, synced to disk. */
  readonly adding: readonly Point[]
  /** Finding the next event of a key and recording its delivery, synced to disk. */
  readonly settling: readonly Point[]
  /** Opening it, as a relay that is restarted does, until the first event of every key is found. */
  readonly opening: readonly Point[]
}

const KEYS = 100
const RUNS = 30
const STEP = 10_000
const [folder = '', maxDepth = '1'] = process.argv.slice(2)

let spool = await openBenchSpool(folder)
let added = 0
let fillingMs = 0
const costs = { filling: [], adding: [], settling: [], opening: [] } as Record<keyof DepthCosts, Point[]>

/** Milliseconds of one run of something. */
async function timeOf(work: () => unknown): Promise<number> {
  const startedAtMs = performance.now()
  await work()
  return performance.now() - startedAtMs
}

/** In steps, so that the events themselves do not fill the memory. */
async function fillTo(depth: number): Promise<void> {
  for (let missing = depth; missing > 0;) {
    missing = depth - spool.counts().pending
    const items = Array.from({ length: Math.min(STEP, missing) }, (_, index) => nextItem(index % KEYS))
    fillingMs += await timeOf(() => addAll(spool, items))
  }
}

function nextItem(keyNumber: number): SpoolItem {
  added += 1
  return numberedItem(added, keyNumber)
}

async function settleOne(keyId: number): Promise<void> {
  const {
    events: [event],
  } = spool.queue.due(keyId, 'alert', firstDue())
  if (event !== undefined) await spool.queue.settle([{ kind: 'delivered', id: event.id, httpStatus: 202 }])
}

async function reopen(): Promise<void> {
  spool = await openBenchSpool(folder)
  for (const { keyId } of spool.queue.dueKeys()) spool.queue.due(keyId, 'alert', firstDue())
}

function firstDue(): DueOptions {
  const one = { fresh: 1, tried: 1, limit: 1 }
  return { nowMs: spool.queue.now(), ...one, exclude: new Set<number>(), isNewestFirst: false }
}

for (let depth = 1; depth <= Number(maxDepth); depth *= 10) {
  await fillTo(depth)
  const times = { adding: [] as number[], settling: [] as number[], opening: [] as number[] }
  const keyIds = spool.queue.dueKeys().map(({ keyId }) => keyId)
  for (let run = 0; run < RUNS; run++) {
    const keyNumber = run % keyIds.length
    times.adding.push(await timeOf(() => addAll(spool, [nextItem(keyNumber)])))
    times.settling.push(await timeOf(() => settleOne(keyIds[keyNumber] ?? 0)))
  }
  for (let run = 0; run < 3; run++) {
    await spool.close()
    times.opening.push(await timeOf(reopen))
  }
  costs.filling.push({ size: depth, cost: fillingMs })
  for (const name of ['adding', 'settling', 'opening'] as const)
    costs[name].push({ size: depth, cost: Math.min(...times[name]) })
}
await spool.close()
process.stdout.write(JSON.stringify(costs))
