/** The latest time that a `Date` can hold, in milliseconds since the epoch (ECMA-262, "Time Values and Time Range"). */
const LATEST_MS = 8.64e15
/** Longer than any wait that is ever written: five minutes and what is added to spread retries. */
const LONGEST_WAIT_MS = 6 * 60_000

/**
 * SQL for a column that is read within what JavaScript and `Date` can hold: whatever the disk or an older version has made
 * of one event's number is no reason to give up all events.
 */
export function readable(column: string): string {
  return `max(0, min(${column}, ${LATEST_MS}))`
}

/** SQL for one more than a counter's column. */
export function incremented(column: string): string {
  return `min(${column}, 1000000) + 1`
}

/** The latest time for which an attempt may be put off now. */
export function latestDue(nowMs: number): number {
  return Math.round(nowMs + LONGEST_WAIT_MS)
}

/** The time of the next attempt as it is read: one that no wait can have led to, as after a step of the clock, is now. */
export function soonest(dueAtMs: number, nowMs: number): number {
  return dueAtMs > latestDue(nowMs) ? Math.floor(nowMs) : dueAtMs
}

/** The time of the next attempt as it is written: an integer above 0, which stands for an event that was never tried. */
export function storableDue(dueAtMs: number, nowMs: number): number {
  const dueMs = Math.round(soonest(dueAtMs, nowMs))
  return dueMs > 0 ? dueMs : Math.max(1, Math.round(nowMs)) // also where it is no number
}
