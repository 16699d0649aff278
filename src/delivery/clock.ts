import { uptime } from 'node:process'

/**
 * Milliseconds since the process started, by a clock that never goes back. It has the scale of `performance.now()`, which
 * takes 3 ms to load, so only paths that are slow anyway use that.
 */
export function nowMs(): number {
  return uptime() * 1000
}
