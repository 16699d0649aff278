import type { RoutingKey } from '../core/routing-key.ts'

/** Looks the one key up that is not configured; rejects with the `Failure` that says why it is not found. */
export type KeyLookUp = () => Promise<RoutingKey>

/** How long a look-up that failed is not repeated. */
const PAUSE_MS = 2000

/**
 * Looks a key up once for all who ask, however many do at the same time. What failed is told to those who ask within a
 * short time after it, and then tried anew.
 * @param now milliseconds on any scale that does not step
 */
export function rememberKey(lookUp: KeyLookUp, now: () => number): KeyLookUp {
  let current: Promise<RoutingKey> | undefined
  let failedAtMs: number | undefined
  return () => {
    if (failedAtMs !== undefined && now() - failedAtMs >= PAUSE_MS) current = undefined
    if (current !== undefined) return current
    failedAtMs = undefined
    current = lookUp()
    current.catch(() => (failedAtMs = now()))
    return current
  }
}
