import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from './clock.ts'
import type { Clock } from './retry.ts'

/** The real clock. Monotonic, so that a step of the system's time neither shortens nor stretches a deadline. */
export const CLOCK: Clock = {
  now: nowMs,
  sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).catch(() => undefined),
  random: () => Math.random(),
}
