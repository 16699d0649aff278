import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measureEventBuilding } from './build-event-cost.ts'
import type { DepthCosts } from './spool-depth.ts'
import { environment } from './build.ts'
import { timeOnce } from './measure.ts'
import { BIN, readScript } from './processes.ts'
import { timeOutput, floodOf } from './run.ts'
import type { Bench } from './section.ts'
import type { Point } from './statistics.ts'

/** A cost in milliseconds against the size of something. */
export interface Growth {
  /** Also the name of its plot's file. */
  readonly name: string
  /** What `size` counts. */
  readonly unit: string
  readonly points: readonly Point[]
}

const RUNS = 5
/** The last three are all over PagerDuty's limit: cutting an event is a step in the cost, not its growth. */
const DETAILS = [1000, 10_000, 100_000, 1_000_000, 3_000_000, 10_000_000]

/** What an event costs against the size of its details: in the pure core alone, and as a whole process. */
export function measureDetails({ folder, isSmoke }: Bench): Growth[] {
  const unit = 'bytes of details'
  const sizes = isSmoke ? DETAILS.slice(0, 2) : DETAILS
  const points = sizes.map((size) => ({ size, cost: quickestOf(() => timeSending(size, folder)) }))
  return [
    { name: 'building and fitting an event', unit, points: measureEventBuilding(sizes) },
    { name: 'send --dry-run of a file', unit, points },
  ]
}

function timeSending(size: number, folder: string): number {
  const file = join(folder, `${size}.json`)
  const lines = Array.from(
    { length: Math.round(size / 50) },
    () => 'a line of some length, with "quotes" and é',
  )
  const payload = { summary: 'A deployment', source: 'acme/shop', custom_details: { lines } }
  writeFileSync(file, JSON.stringify({ payload }))
  return timeOnce({
    name: `send of ${size} bytes`,
    argv: [process.execPath, BIN, 'send', '--dry-run', file],
    env: environment(),
  })
}

/** What `run` costs against how much its command prints. */
export function measureOutput({ isSmoke }: Bench): Growth[] {
  const sizes = isSmoke ? [1000, 100_000] : [100_000, 1_000_000, 10_000_000, 50_000_000, 200_000_000]
  const points = sizes.map((size) => ({ size, cost: quickestOf(() => timeOutput(floodOf(size), true)) }))
  return [{ name: 'run', unit: 'bytes of output', points }]
}

/** What the spool costs against how much it holds, and its delivery against how many keys there are. */
export async function measureSpool({ folder, signal, isSmoke }: Bench): Promise<Growth[]> {
  const bounds = { timeoutMs: 120_000, signal }
  const depthArgs = [join(folder, 'depth'), String(isSmoke ? 1000 : 1_000_000)]
  const depth = (await readScript('spool-depth.ts', depthArgs, bounds)) as DepthCosts
  const keyArgs = [join(folder, 'keys'), String(isSmoke ? 100 : 10_000)]
  const keys = (await readScript('delivery-keys.ts', keyArgs, bounds)) as Point[]
  const unit = 'events pending'
  return [
    { name: 'filling a spool', unit, points: depth.filling },
    { name: 'keeping one more event', unit, points: depth.adding },
    { name: 'settling one event', unit, points: depth.settling },
    { name: 'opening a spool', unit, points: depth.opening },
    { name: 'delivering one event of each key', unit: 'keys', points: keys },
  ]
}

/** A disturbance only adds to a run's time. */
function quickestOf(time: () => number): number {
  return Math.min(...Array.from({ length: RUNS }, time))
}
