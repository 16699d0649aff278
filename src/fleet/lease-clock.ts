/** A step of the wall clock that is more than its usual adjustment. */
const STEP_MS = 1000

/**
 * A clock in milliseconds to measure leases with. It never goes back, and it also counts time during which the machine was
 * suspended, which the monotonic clock of some systems leaves out: then only the wall clock has moved on.
 */
export function createLeaseClock(
  monotonicMs = (): number => performance.now(),
  wallMs = (): number => Date.now(),
): () => number {
  let missedMs = 0
  let offsetMs = wallMs() - monotonicMs()
  return () => {
    const nowMs = monotonicMs()
    const aheadMs = wallMs() - nowMs - offsetMs
    if (Math.abs(aheadMs) > STEP_MS) {
      missedMs += Math.max(0, aheadMs)
      offsetMs += aheadMs
    }
    return nowMs + missedMs
  }
}
