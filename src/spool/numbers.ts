/** The latest time that a `Date` can hold, in milliseconds since the epoch (ECMA-262, "Time Values and Time Range"). */
const LATEST_MS = 8.64e15
/** Longer than any wait that is ever written: five minutes plus jitter. */
const LONGEST_WAIT_MS = 6 * 60_000

/**
 * SQL for a column, limited to what JavaScript and `Date` can represent: one event's number, however the disk or an older
 * version has changed it, must not stop all events.
 */
export function readable(column: string): string {
  return `max(0, min(${column}, ${LATEST_MS}))`
}

/** SQL for a counter's column plus one. */
export function incremented(column: string): string {
  return `min(${column}, 1000000) + 1`
}

/** The latest time to which an attempt can be postponed now. */
export function latestDue(nowMs: number): number {
  return Math.round(nowMs + LONGEST_WAIT_MS)
}

/** The time of the next attempt as it is read: now if it is further away than any wait, as after a step of the clock. */
export function soonest(dueAtMs: number, nowMs: number): number {
  return dueAtMs > latestDue(nowMs) ? Math.floor(nowMs) : dueAtMs
}

/** The time of the next attempt as it is written: an integer above 0, since 0 means that the event was never tried. */
export function storableDue(dueAtMs: number, nowMs: number): number {
  const dueMs = Math.round(soonest(dueAtMs, nowMs))
  return dueMs > 0 ? dueMs : Math.max(1, Math.round(nowMs)) // also if it is not a number
}
