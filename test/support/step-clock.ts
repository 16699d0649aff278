/** The environment of a process whose clock is off by that much, and changes by up to as much five times a second. */
export function stepClock(offsetMs: number): Record<string, string> {
  return {
    NODE_OPTIONS: `--import=${new URL('stepped-clock.ts', import.meta.url).href}`,
    STEPPED_CLOCK_MS: String(Math.round(offsetMs)),
  }
}
