import { uptime } from 'node:process'

/**
 * Milliseconds since the process began, of a clock that never goes back. The scale is that of `performance.now()`, which
 * takes 3 ms to load where nothing else needs it: it stays for what only longer ways through the program use.
 */
export function nowMs(): number {
  return uptime() * 1000
}
