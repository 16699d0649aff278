import { SEVERITIES, type Severity } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import { cleanObject, isObject, parseJson, type Json, type JsonObject } from '../core/json.ts'
import { createSecret, type Secret } from '../core/secret.ts'
import { withoutSlashes } from '../core/without-slashes.ts'
import { parseTimestamp, TIMESTAMP_EXAMPLES, type Timestamp } from '../core/timestamp.ts'

/*
 * Readers of single values. Each takes the text that the user gave and returns the value, or throws a Failure of kind
 * `usage` whose message follows the setting's name and says what would be accepted. None of them repeats the text.
 */

function refuse(reason: string): never {
  throw new Failure('usage', reason)
}

/**
 * A token for the Authorization header, which allows only printable ASCII.
 * @throws Failure of kind `config`: most likely the secret was copied with something else
 */
export function parseBearerToken(text: string): Secret {
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new Failure('config', 'must consist of printable ASCII characters without spaces')
  return createSecret(text)
}

/** One of a fixed set of words, in any case. */
export function parseChoice<T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) =>
    choices.find((choice) => choice === text.toLowerCase()) ?? refuse(`must be one of ${choices.join(', ')}`)
}

export const parseSeverity: (text: string) => Severity = parseChoice(SEVERITIES)

/** `true` or `false`, or `1`, `0`, `yes`, `no`. */
export function parseBoolean(text: string): boolean {
  const yes = ['true', '1', 'yes']
  return yes.includes(parseChoice([...yes, 'false', '0', 'no'])(text))
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
/** A day: longer than any build, and within what a timer can hold (2^31 ms). */
const MAX_DURATION_MS = 24 * 3_600_000

/** A duration such as `500ms`, `90s`, `1.5m`, `2h`; a bare number is seconds. Returns milliseconds. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/i.exec(text)
  const durationMs = Number(match?.[1]) * (UNIT_MS[match?.[2]?.toLowerCase() ?? 's'] ?? Number.NaN)
  if (!(durationMs >= 1 && durationMs <= MAX_DURATION_MS))
    refuse('must be a duration such as 500ms, 90s or 2m, at most 24h')
  return durationMs
}

/** A whole number from `min` to `max`. */
export function parseCount(max: number, min = 0): (text: string) => number {
  return (text) =>
    /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max
      ? Number(text)
      : refuse(`must be a whole number from ${min} to ${max}`)
}

/** Exit statuses: a list such as `3,75`, or `*` for all but 0. Returns whether a status is among them. */
export function parseExitCodes(text: string): (exitCode: number) => boolean {
  if (text === '*') return (exitCode) => exitCode !== 0
  const codes = text.split(',').map((code) => code.trim())
  if (!codes.every((code) => /^\d{1,3}$/.test(code) && Number(code) <= 255))
    refuse('must be * or a list of exit statuses from 0 to 255, such as 3,75')
  return (exitCode) => codes.some((code) => Number(code) === exitCode)
}

/** A point in time. */
export function parseTime(text: string): Timestamp {
  return parseTimestamp(text) ?? refuse(`must be like ${TIMESTAMP_EXAMPLES}`)
}

/** An absolute http(s) URL, as given. */
export function parseHttpUrl(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) refuse('must be an http(s) URL')
  return text
}

/** The base URL of a service: no query, no credentials, no slash at the end. A path prefix stays. */
export function parseBaseUrl(text: string): string {
  const url = new URL(parseHttpUrl(text))
  if (url.username !== '' || url.password !== '') refuse('must not contain a user name or password')
  if (url.search !== '' || url.hash !== '') refuse('must not contain a query or fragment')
  return withoutSlashes(url.href)
}

/** The base URL of an Events API; the path of its requests may follow, as PagerDuty's documentation shows them. */
export function parseEventsUrl(text: string): string {
  const base = parseBaseUrl(text)
  const path = REQUEST_PATHS.find((known) => base.endsWith(known)) ?? ''
  return withoutSlashes(base.slice(0, base.length - path.length))
}

/** developer.pagerduty.com "Events API v2": alerts and change events. */
const REQUEST_PATHS = ['/v2/enqueue', '/v2/change/enqueue']

/** `URL` or `URL|TEXT`; `correctLinks` looks at the URL. */
export function parseLink(text: string): JsonObject {
  const [href = '', ...rest] = text.split('|')
  const label = rest.join('|').trim()
  return { href: href.trim(), ...(label !== '' && { text: label }) }
}

/** `SRC`, `SRC|HREF` or `SRC|HREF|ALT`; `correctImages` looks at the URLs. */
export function parseImage(text: string): JsonObject {
  const [src = '', href = '', ...rest] = text.split('|').map((part) => part.trim())
  const alt = rest.join('|')
  return { src, ...(href !== '' && { href }), ...(alt !== '' && { alt }) }
}

/** A JSON list of `{"href","text"}`. */
export function parseLinkList(text: string): readonly Json[] {
  return parseList(text, '[{"href":"https://…","text":"…"}]')
}

/** A JSON list of `{"src","href","alt"}`. */
export function parseImageList(text: string): readonly Json[] {
  return parseList(text, '[{"src":"https://…","href":"https://…","alt":"…"}]')
}

/** A JSON list, or the one entry of it that somebody wrote without brackets. */
function parseList(text: string, example: string): readonly Json[] {
  const value = parseJsonText(text, example)
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (!list.every((item) => isObject(item) || typeof item === 'string'))
    refuse(`must be a JSON list such as ${example}`)
  return list.map((item) => (isObject(item) ? withoutBlanks(cleanObject(item)) : item))
}

/** Blank counts as unset, as everywhere in the configuration. */
function withoutBlanks(members: JsonObject): JsonObject {
  const isGiven = ([, value]: [string, Json]): boolean => typeof value !== 'string' || value.trim() !== ''
  return Object.fromEntries(Object.entries(members).filter(isGiven))
}

/** Custom details: a JSON object. */
export function parseDetails(text: string): JsonObject {
  const example = '{"team":"web"}'
  const details = parseJsonText(text, example)
  if (!isObject(details)) refuse(`must be a JSON object such as ${example}`)
  return details as JsonObject
}

function parseJsonText(text: string, example: string): unknown {
  try {
    return parseJson(text)
  } catch {
    // The parser's own message quotes the text, which may be private.
    return refuse(`is not valid JSON; it should look like ${example}`)
  }
}

/** One `KEY=VALUE` as a path and a value: `a.b=1` is `[['a', 'b'], 1]`. A value that is not JSON is text. */
export function parseDetail(text: string): { path: string[]; value: unknown } {
  const equals = text.indexOf('=')
  const path = text.slice(0, equals).split('.')
  if (equals < 1 || path.some((name) => name.trim() === ''))
    refuse('must be KEY=VALUE, such as team=web or a.b=1')
  const value = text.slice(equals + 1)
  return { path, value: parseDetailValue(value) }
}

function parseDetailValue(text: string): unknown {
  try {
    const value = parseJson(text)
    // `version=1.10` is not the number 1.1: a number that would be written otherwise stays text.
    return typeof value === 'number' && String(value) !== text.trim() ? text : value
  } catch {
    return text
  }
}

/** The details with one more at a path; whatever stood in the way gives way. */
export function withDetail(details: JsonObject, path: readonly string[], value: unknown): JsonObject {
  const [name = '', ...rest] = path
  if (rest.length === 0) return { ...details, [name]: value as Json }
  const inner = Object.hasOwn(details, name) ? details[name] : undefined
  return { ...details, [name]: withDetail(isObject(inner) ? inner : {}, rest, value) }
}
