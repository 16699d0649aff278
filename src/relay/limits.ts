import { LIMITS } from '../core/event.ts'

/**
 * Limits on callers. They bound the relay's memory whatever is sent to it, and keep slow callers from holding connections.
 */
export const RELAY_LIMITS = {
  /** Bytes of a request's body: as many as PagerDuty accepts. */
  bodyBytes: LIMITS.bodyBytes,
  /** Total bytes of the bodies of all requests in progress; each costs several times as much memory. */
  heldBytes: 64 * LIMITS.bodyBytes,
  /** A body up to this size counts when it is announced, a larger one while it arrives. All connections together announce less than `heldBytes`. */
  smallBodyBytes: 16_384,
  /** Bytes of a request's line and headers together; a token and a few names need less than one of these. */
  headerBytes: 16_384,
  /** Time for a request's headers to arrive, from the connection's first moment. */
  headersMs: 10_000,
  /** Time for a whole request to arrive. */
  requestMs: 15_000,
  /** How often slow connections are looked for. */
  checkMs: 1000,
  /** How long an idle connection stays open, so that a caller's next request can reuse it. */
  keepAliveMs: 72_000,
  /** Requests in progress at a time, except probes; more are answered 503. */
  requests: 1024,
  /** Connections at a time; for one more, the one that has been idle longest is closed. What exceeds `requests` is for probes. */
  connections: 1024 + 64,
  /** Without a spool, events in flight to PagerDuty at a time; more are answered 503. */
  inFlight: 256,
  /** `Retry-After` while the spool cannot accept events, in seconds. */
  spoolRetrySeconds: 10,
  /** Maximum for `Prefer: wait`, in seconds. */
  waitSeconds: 60,
  /** How many of the last lines of a deployment's output its alert shows. */
  outputLines: 40,
  /** Maximum of events in one answer of `/events`. */
  listed: 1000,
} as const
