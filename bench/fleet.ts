import { NEEDS_POSTGRES } from '../test/support/postgres.ts'
import { skipWithout } from '../test/support/required.ts'
import type { Measured } from './fact.ts'
import { measureAccepting } from './fleet-accepting.ts'
import { measureDelivering, measureTakeover } from './fleet-delivery.ts'
import { measureDepth } from './fleet-depth.ts'
import { startBenchFleet } from './fleet-relays.ts'
import type { Bench } from './section.ts'

/** What relays of a fleet do, with one PostgreSQL for all parts. Nothing if PostgreSQL is not installed. */
export async function measureFleet(bench: Bench): Promise<Measured> {
  const missing = skipWithout(...NEEDS_POSTGRES)
  if (missing !== false) {
    process.stderr.write(`skipped, ${missing} … `)
    return { facts: [] }
  }
  const fleet = await startBenchFleet()
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => (closed ??= fleet.close())
  bench.signal.addEventListener('abort', () => void close())
  try {
    const accepting = await measureAccepting(fleet, bench)
    const delivering = await measureDelivering(fleet, bench)
    const takeover = await measureTakeover(fleet, bench)
    return {
      facts: [...accepting, ...delivering, ...takeover],
      growth: await measureDepth(fleet, bench.isSmoke),
    }
  } finally {
    await close()
  }
}
