/** The longest wait that a server is granted: longer or absurd values count as this. */
const MAX_AFTER_MS: number = 5 * 60_000

/** The oldest of HTTP's three forms of a date (RFC 9110, section 5.6.7): it names no zone and means GMT. */
const ASCTIME = /^[a-z]{3} [a-z]{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/i
/** Longer texts are not a value of either header. */
const MAX_LENGTH = 1024
/** Smaller numbers are seconds to wait; from here on, 31 years, they can only be seconds since the epoch. */
const FIRST_EPOCH_SECONDS = 1e9
/** The same in milliseconds, as some gateways send it. */
const FIRST_EPOCH_MS = 1e12

/**
 * `Retry-After` in milliseconds from now, at most `MAX_AFTER_MS`: seconds, or an HTTP date. Undefined if it is absent or
 * neither.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? ''
  const durationMs = parseReset(text, nowMs)
  if (durationMs !== undefined) return durationMs
  if (!/[a-z]/i.test(text) || text.length > MAX_LENGTH) return undefined
  const atMs = Date.parse(ASCTIME.test(text) ? `${text} GMT` : text)
  return Number.isNaN(atMs) ? undefined : bounded(atMs - nowMs)
}

/**
 * `ratelimit-reset` in milliseconds from now, at most `MAX_AFTER_MS`: seconds (PagerDuty's REST docs, "Rate limiting"), or
 * the time since the epoch, in seconds or milliseconds, that others send. Undefined if it is absent or not a number.
 */
export function parseReset(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? ''
  if (!/^\d+(\.\d+)?$/.test(text)) return undefined
  const number = Number(text)
  if (number < FIRST_EPOCH_SECONDS) return bounded(number * 1000)
  return bounded((number < FIRST_EPOCH_MS ? number * 1000 : number) - nowMs)
}

function bounded(durationMs: number): number {
  return Math.min(MAX_AFTER_MS, Math.max(0, durationMs))
}
