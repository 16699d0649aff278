import { maskSecrets, oneLine } from './mask-secrets.ts'
import { parseReset, parseRetryAfter } from './retry-after.ts'
import type { Secret } from './secret.ts'

/**
 * The outcome of one attempt. A refusal or a broken connection is expected, so it is a value and not an exception.
 *
 * - `accepted`: PagerDuty has the event
 * - `retry`: it may accept it next time; not before `afterMs` if the server asked for that
 * - `refused`: it said no and will say no again
 * - `unreachable`: it cannot be reached until somebody fixes something (a certificate, a proxy's password)
 */
export type Outcome =
  | { readonly kind: 'accepted'; readonly status: number }
  | { readonly kind: 'retry'; readonly reason: string; readonly status?: number; readonly afterMs?: number }
  | { readonly kind: 'refused'; readonly reason: string; readonly status: number }
  | { readonly kind: 'unreachable'; readonly reason: string; readonly status?: number }

/** An answer as it was received; the body may be cut off. */
export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  /** Whether the body is incomplete. */
  readonly isCutOff?: boolean
  /** Why the body could not be read as text: `its body is compressed (zstd) and cannot be read`. */
  readonly unreadable?: string
}

/** Wait for a 429 that names no time: PagerDuty advises 30 s (developer docs, "Rate limits": 3 retries, 30 s apart). */
const THROTTLED_MS = 30_000

/** What a status means for the event, the same for delivery, the relay's answers and its metrics. */
export interface StatusMeaning {
  readonly kind: Outcome['kind']
  /** The status concerns our connection (a redirect, a proxy's login), so a relay's caller can do nothing with it. */
  readonly isOurs?: true
}

/**
 * The one table of statuses; any status without a row is final. Any 2xx is accepted, since clients that insist on 202
 * break on a test server's 200. Redirects are not followed: they would carry the key somewhere else.
 */
const MEANINGS: readonly (StatusMeaning & { readonly from: number; readonly to: number })[] = [
  { from: 200, to: 299, kind: 'accepted' },
  { from: 300, to: 399, kind: 'refused', isOurs: true },
  { from: 407, to: 407, kind: 'unreachable', isOurs: true },
  { from: 408, to: 408, kind: 'retry' },
  { from: 429, to: 429, kind: 'retry' },
  { from: 500, to: 599, kind: 'retry' },
  { from: 600, to: 999, kind: 'refused', isOurs: true }, // not HTTP, so a caller cannot be answered with it
]
const FINAL: StatusMeaning = { kind: 'refused' }

/** What an HTTP status means for the event that was sent. */
export function meaningOf(status: number): StatusMeaning {
  return MEANINGS.find(({ from, to }) => status >= from && status <= to) ?? FINAL
}

/**
 * What an answer means.
 * @param nowMs   the time, for a `Retry-After` that is a date
 * @param secrets masked in the server's words, which may repeat what we sent
 */
export function classifyAnswer(answer: Answer, nowMs: number, secrets: readonly Secret[] = []): Outcome {
  const { status, headers } = answer
  const { kind } = meaningOf(status)
  switch (kind) {
    case 'accepted':
      return { kind, status }
    case 'unreachable':
      return { kind, status, reason: PROXY_REFUSED }
    case 'refused':
      return { kind, status, reason: describeAnswer(answer, secrets) }
    case 'retry': {
      const throttledMs =
        status === 429 ? (parseReset(headers['ratelimit-reset'], nowMs) ?? THROTTLED_MS) : undefined
      const afterMs = parseRetryAfter(headers['retry-after'], nowMs) ?? throttledMs
      const reason = describeAnswer(answer, secrets)
      return { kind, status, reason, ...(afterMs !== undefined && { afterMs }) }
    }
  }
}

/** Why a proxy's 407 ends the attempt; its answer is not shown, since it may repeat the credentials. */
const PROXY_REFUSED =
  'the proxy does not accept the credentials (407); check the user name and password in HTTPS_PROXY or HTTP_PROXY'

/** What it means if a proxy answers CONNECT with anything but 2xx. Its words are not known. */
export function classifyTunnelAnswer(status: number): Exclude<Outcome, { kind: 'accepted' | 'refused' }> {
  const outcome = classifyAnswer({ status, headers: {}, body: '' }, 0)
  if (outcome.kind === 'unreachable') return outcome
  const reason = `the proxy refuses to connect to the server (${status})`
  if (outcome.kind === 'retry') return { ...outcome, reason }
  return {
    kind: 'unreachable',
    status,
    reason: `${reason}; have it allow the server, or name the server in NO_PROXY`,
  }
}

const REASON_PHRASE: Readonly<Record<number, string>> = {
  408: 'Request Timeout',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

/** Longest excerpt of a server's words that is shown, in UTF-16 units. */
const MAX_WORDS = 500
/** How much of a body that is not JSON is looked at for words, in UTF-16 units. */
const MAX_PROSE = 16 * 1024

/**
 * Status and the server's own words on one line: `400: Event object is invalid: 'payload.source' is missing or blank`.
 * @param secrets masked both before the body is parsed and after, since JSON can spell a character in many ways
 */
export function describeAnswer(answer: Answer, secrets: readonly Secret[] = []): string {
  const { status, headers, body, unreadable } = answer
  const { location } = headers
  if (status >= 300 && status <= 399) {
    const target = location === undefined ? '' : ` (to ${originOf(maskSecrets(location, secrets))})`
    return `${status}: a redirect, which is never followed${target}`
  }
  // Masked before it is cut: half a secret would not be recognized.
  const masked = maskSecrets(serverWords(maskSecrets(body, secrets)), secrets)
  const words = masked.length > MAX_WORDS ? `${masked.slice(0, MAX_WORDS).toWellFormed()}…` : masked
  const said = words === '' ? (unreadable ?? REASON_PHRASE[status] ?? 'no reason given') : words
  return `${status}: ${said}`
}

/** The target of a redirect, without path and query, which may repeat what we sent. */
function originOf(location: string): string {
  const { protocol = '', origin } = URL.parse(location) ?? {}
  return /^https?:$/.test(protocol) ? String(origin) : 'another path'
}

/** A tag, or a script or style with its content; one that is never closed reaches to the end. */
const TAG = /<script\b[\s\S]*?(?:<\/script>|$)|<style\b[\s\S]*?(?:<\/style>|$)|<[^<>]*>/gi

/**
 * The words in an answer's body, in any of PagerDuty's shapes: `message` with `errors`, `error` as list, object or text,
 * plain text (`Invalid routing key`); for anything else (HTML), an excerpt without its tags.
 */
export function serverWords(body: string): string {
  const parsed = tryParse(body)
  const parts = typeof parsed === 'object' && parsed !== null ? wordsIn(parsed) : []
  if (parts.length > 0) return oneLine(parts.join(': '))
  return oneLine(body.slice(0, MAX_PROSE).replaceAll(TAG, ' '))
}

/** `message`, then every text of `errors` and `error`, at most three levels deep. */
function wordsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return value.trim() === '' ? [] : [value]
  if (depth > 2 || typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    const items = value.flatMap((item) => wordsIn(item, depth + 1))
    return items.length === 0 ? [] : [items.join('; ')]
  }
  const { message, errors, error, title, detail } = value as Record<string, unknown>
  return [message, errors, error, title, detail].flatMap((member) => wordsIn(member, depth + 1))
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
