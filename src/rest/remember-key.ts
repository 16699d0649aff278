import type { RoutingKey } from '../core/routing-key.ts'

/** Looks up the routing key if none is configured; rejects with a `Failure` that says why it was not found. */
export type KeyLookUp = () => Promise<RoutingKey>

/** How long a failed look-up is not repeated. */
const PAUSE_MS = 2000

/**
 * Looks up a key once, however many callers ask at the same time. After a failure, callers get the same error for a short
 * time; then the look-up is repeated.
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

/** The same look-up, which also puts the key that it found into a list. */
export function noteKey(lookUp: KeyLookUp, found: RoutingKey[]): KeyLookUp {
  return async () => {
    found[0] = await lookUp()
    return found[0]
  }
}
