import { LIMITS } from '../core/event.ts'

/**
 * What callers can make the relay hold. With these its memory has an upper bound, whatever is sent to it, and nobody
 * keeps a connection by being slow.
 */
export const RELAY_LIMITS = {
  /** Bytes of a request's body: as much as PagerDuty takes. */
  bodyBytes: LIMITS.bodyBytes,
  /** Bytes of the bodies of all requests under way together; each costs some times as much memory. */
  heldBytes: 64 * LIMITS.bodyBytes,
  /** A body up to this size counts when it is announced, a larger one while it arrives. All connections together announce less than `heldBytes`. */
  smallBodyBytes: 16_384,
  /** Bytes of a request's line and headers together; a token and a few names need less than one of these. */
  headerBytes: 16_384,
  /** Time for a request's headers to arrive, from the connection's first moment. */
  headersMs: 10_000,
  /** Time for a whole request to arrive. */
  requestMs: 15_000,
  /** How often connections are looked over for those that are too slow. */
  checkMs: 1000,
  /** How long a connection may stay open without a request, so that a caller's next one finds it warm. */
  keepAliveMs: 72_000,
  /** Requests under way at a time, probes apart; more are answered 503. */
  requests: 1024,
  /** Connections at a time; for one more, the one that has been idle longest is closed. What exceeds `requests` is for probes. */
  connections: 1024 + 64,
  /** Events on their way to PagerDuty at a time, where there is no spool; more are answered 503. */
  inFlight: 256,
  /** When a caller is to come back to a spool that takes nothing, in seconds. */
  spoolRetrySeconds: 10,
  /** Longest time that `Prefer: wait` is honoured. */
  waitSeconds: 60,
  /** Events that one answer lists. */
  listed: 1000,
} as const
