import type { RelayFleetOptions } from './relay-fleet-parts.ts'

const WARN_AGAIN_MS = 60_000
const MAX_REASONS = 100

/** Logs why the database refuses statements: the same reason once in a while. */
export function warnOfRefusals({
  engine,
  clock,
  onWarning,
}: Pick<RelayFleetOptions, 'engine' | 'clock' | 'onWarning'>): void {
  const warnedAtMs = new Map<string, number>()
  engine.onRefused((reason) => {
    const now = clock.now()
    if (now - (warnedAtMs.get(reason) ?? Number.NEGATIVE_INFINITY) < WARN_AGAIN_MS) return
    if (warnedAtMs.size >= MAX_REASONS) warnedAtMs.clear()
    warnedAtMs.set(reason, now)
    onWarning(`the fleet’s database refuses a statement: ${reason}`)
  })
}
