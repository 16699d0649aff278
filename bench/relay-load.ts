import { setTimeout as sleep } from 'node:timers/promises'
import {
  load,
  MANY_KEYS,
  memoryMb,
  NOWHERE,
  spoolFolder,
  startBareRelay,
  startRelay,
  type Relay,
} from './relays.ts'
import type { Bench } from './section.ts'

/** What a relay does at 64 connections. */
export interface RelayCost {
  readonly name: string
  /** Events per second, one figure for each round: answered with 202, and delivered if delivery is awaited. */
  readonly rates: readonly number[]
  /** 99 of 100 answers arrived within this time; one figure for each round. */
  readonly p99sMs: readonly number[]
  /** Resident set before any load, and the largest ever; absent if it is not a relay. */
  readonly idleMb?: number
  readonly peakMb?: number
}

/** The relays' names in the page. */
export const RELAYS = {
  stub: 'the stub, without a relay',
  handler: 'Fastify, accepts and drops',
  passthrough: 'Fastify + undici, passthrough',
  bareDurable: 'Fastify + SQLite, accepting',
  bareDelivering: 'Fastify + SQLite + undici, accepting and delivering',
  synchronous: 'serve, synchronous',
  durable: 'serve with a spool, accepting',
  delivering: 'serve with a spool, accepting and delivering',
} as const

const CONNECTIONS = 64
const WARM_ROUNDS = 2
const ROUNDS = 5
const SECONDS = 1.5
const DELIVERED_MS = 30_000
/** Relays whose events count once they are delivered. */
const DELIVERING: ReadonlySet<string> = new Set([RELAYS.bareDelivering, RELAYS.delivering])

/** Loads bare relays and the program's in turns; the first turns are not counted, because V8 is still compiling. */
export async function measureRelayLoad({ servers, folder, signal, isSmoke }: Bench): Promise<RelayCost[]> {
  const upstreamUrl = servers.httpUrl
  const spool = (name: string): string => spoolFolder(folder, name)
  const relays = [
    await startBareRelay({ name: RELAYS.handler, signal }),
    await startBareRelay({ name: RELAYS.passthrough, upstreamUrl, signal }),
    await startBareRelay({ name: RELAYS.bareDurable, spool: spool('bare-a'), signal }),
    await startBareRelay({ name: RELAYS.bareDelivering, upstreamUrl, spool: spool('bare-b'), signal }),
    await startRelay({ name: RELAYS.synchronous, upstreamUrl, signal }), // one key, as the bare one
    // Without an upstream, and with one key that is tried one event at a time, only the cost of accepting is left.
    await startRelay({ name: RELAYS.durable, upstreamUrl: NOWHERE, spool: spool('a'), signal }),
    await startRelay({
      name: RELAYS.delivering,
      upstreamUrl,
      keys: MANY_KEYS,
      spool: spool('b'),
      signal,
    }),
  ]
  const subjects = [{ name: RELAYS.stub, url: upstreamUrl, keys: 0 }, ...relays]
  const found = subjects.map(() => ({ rates: [] as number[], p99sMs: [] as number[] }))
  for (let round = 0; round < (isSmoke ? 1 : WARM_ROUNDS + ROUNDS); round++) {
    for (const [index, subject] of subjects.entries()) {
      const { rate, p99Ms } = await loadOnce(subject, isSmoke ? 0.2 : SECONDS, signal)
      if (round < WARM_ROUNDS && !isSmoke) continue
      found[index]?.rates.push(rate)
      found[index]?.p99sMs.push(p99Ms)
    }
  }
  return subjects.map((subject, index) => ({
    name: subject.name,
    ...(found[index] ?? { rates: [], p99sMs: [] }),
    ...('child' in subject && { idleMb: subject.idleMb, peakMb: memoryMb(subject, 'VmHWM') }),
  }))
}

async function loadOnce(
  subject: Pick<Relay, 'name' | 'url' | 'keys'>,
  seconds: number,
  signal: AbortSignal,
): Promise<{ rate: number; p99Ms: number }> {
  const { count, seconds: took, p99Ms } = await load(subject, { connections: CONNECTIONS, seconds, signal })
  if (!DELIVERING.has(subject.name)) return { rate: count / took, p99Ms }
  const restMs = await untilDelivered(subject)
  return { rate: count / (took + restMs / 1000), p99Ms }
}

/** Waits until the spool is delivered, so that it does not disturb other measurements. Returns how long that took. */
async function untilDelivered({ name, url }: Pick<Relay, 'name' | 'url'>): Promise<number> {
  const startedAtMs = performance.now()
  while ((await pendingEvents(url)) > 0) {
    if (performance.now() - startedAtMs > DELIVERED_MS)
      throw new Error(`${name}: the spool was not delivered in time`)
    await sleep(20)
  }
  return performance.now() - startedAtMs
}

async function pendingEvents(url: string): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) })
  const line = /^pagerduty_alert_spool_events\{status="pending"\} (\d+)$/m.exec(await answer.text())
  if (line === null) throw new Error('the relay’s metrics do not show pending events')
  return Number(line[1])
}
