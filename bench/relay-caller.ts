import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { environment, READY_EVENT } from './build.ts'
import { measure, type Cost, type Variant } from './measure.ts'
import { script } from './processes.ts'
import { load, NOWHERE, spoolFolder, startBareRelay, startRelay } from './relays.ts'
import type { Bench } from './section.ts'
import { CERTIFICATE_FILE } from './servers.ts'
import { median } from './statistics.ts'

/** How long one caller waits who sends one event after the other. */
export interface CallerCosts {
  /** Medians in milliseconds, one for each round. */
  readonly fdatasync: readonly number[]
  readonly passthrough: readonly number[]
  readonly bareDurable: readonly number[]
  readonly synchronous: readonly number[]
  readonly durable: readonly number[]
}

const ROUNDS = 7
const SYNCS = 300
/** About the size of an event's JSON in bytes. */
const RECORD_BYTES = 512

/** Times single callers in turns with appending a record to a file and syncing it. */
export async function measureCallers({ servers, folder, signal, isSmoke }: Bench): Promise<CallerCosts> {
  const upstreamUrl = servers.httpUrl
  const passthrough = await startBareRelay({ name: 'passthrough', upstreamUrl, signal })
  const bareDurable = await startBareRelay({
    name: 'bare durable',
    spool: spoolFolder(folder, 'bare-caller'),
    signal,
  })
  const synchronous = await startRelay({ name: 'synchronous', upstreamUrl, signal })
  const durable = await startRelay({
    name: 'durable',
    upstreamUrl: NOWHERE,
    spool: spoolFolder(folder, 'caller'),
    signal,
  })
  const relays = { passthrough, bareDurable, synchronous, durable }
  const costs: Record<keyof CallerCosts, number[]> = {
    fdatasync: [],
    passthrough: [],
    bareDurable: [],
    synchronous: [],
    durable: [],
  }
  const seconds = isSmoke ? 0.1 : 0.7
  for (let round = 0; round < (isSmoke ? 1 : ROUNDS); round++) {
    costs.fdatasync.push(timeSync(join(folder, 'synced'), isSmoke ? 10 : SYNCS))
    for (const [name, relay] of Object.entries(relays)) {
      const { p50Ms } = await load(relay, { connections: 1, seconds, signal })
      costs[name as keyof CallerCosts].push(p50Ms)
    }
  }
  return costs
}

/** @returns the median of the milliseconds that one append and fdatasync(2) takes */
export function timeSync(path: string, count: number): number {
  const fd = openSync(path, 'a')
  const record = Buffer.alloc(RECORD_BYTES, 'x')
  try {
    const times = Array.from({ length: count }, () => {
      const startedAtMs = performance.now()
      writeSync(fd, record)
      fdatasyncSync(fd)
      return performance.now() - startedAtMs
    })
    return median(times)
  } finally {
    closeSync(fd)
  }
}

/** The names of the curls, by where they send. */
export const CURLS = {
  direct: 'curl to PagerDuty, 50 ms away',
  synchronous: 'curl to a synchronous relay',
  durable: 'curl to a relay with a spool',
} as const

/** Times the same curl to PagerDuty at the end of the long path, and to relays on this machine that send it there. */
export async function measureCurls({ servers, folder, signal, isSmoke }: Bench): Promise<Cost[]> {
  const upstreamUrl = servers.farUrl
  const synchronous = await startRelay({ name: 'synchronous', upstreamUrl, signal })
  const spool = spoolFolder(folder, 'curl')
  const durable = await startRelay({ name: 'durable', upstreamUrl, spool, signal })
  const curl = (name: string, url: string): Variant => ({
    name,
    argv: ['bash', script('peers/curl.sh')],
    env: environment({
      BENCH_URL: `${url}/v2/enqueue`,
      BENCH_BODY: READY_EVENT,
      SSL_CERT_FILE: CERTIFICATE_FILE,
    }),
  })
  const variants = [
    curl(CURLS.direct, upstreamUrl),
    curl(CURLS.synchronous, synchronous.url),
    curl(CURLS.durable, durable.url),
  ]
  return measure(variants, { rounds: isSmoke ? 1 : 21, budgetMs: 30_000 })
}
