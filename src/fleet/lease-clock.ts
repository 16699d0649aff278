import { uptime } from 'node:os'

/** A larger difference between two clocks is not explained by their adjustments and their resolution. */
const STEP_MS = 1000

/** The clocks of a machine, in milliseconds. */
export interface MachineClocks {
  /** Does not step; on some systems it stands still while the machine is suspended. */
  readonly monotonicMs: () => number
  /** Does not step, and goes on while the machine is suspended. Slow to read. */
  readonly uptimeMs: () => number
  /** Anyone may set it. */
  readonly wallMs: () => number
}

const CLOCKS: MachineClocks = {
  monotonicMs: () => performance.now(),
  uptimeMs: () => uptime() * 1000,
  wallMs: () => Date.now(),
}

/**
 * A clock in milliseconds to measure leases with. It never goes back, it does not follow the wall clock, and it also counts the
 * time during which the machine was suspended. The wall clock only says when to look for such a time: it steps after each.
 */
export function createLeaseClock({ monotonicMs, uptimeMs, wallMs }: MachineClocks = CLOCKS): () => number {
  const startedMs = uptimeMs() - monotonicMs()
  let missedMs = 0
  let offsetMs = wallMs() - monotonicMs()
  return () => {
    const nowMs = monotonicMs()
    const steppedMs = wallMs() - nowMs - offsetMs
    if (Math.abs(steppedMs) > STEP_MS) {
      offsetMs += steppedMs
      const suspendedMs = uptimeMs() - nowMs - startedMs
      if (suspendedMs - missedMs > STEP_MS) missedMs = suspendedMs
    }
    return nowMs + missedMs
  }
}
