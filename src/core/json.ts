/** A JSON value without `null`: PagerDuty's schema has no nullable field, so `null` never leaves this program. */
export type Json = string | number | boolean | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json
}

/**
 * Deepest nesting that is sent. PagerDuty states no limit; parsers do (100 is the usual default of Ruby's, and
 * `JSON.stringify` itself overflows its stack at some thousands), so anything deeper is sent as JSON text.
 */
export const MAX_DEPTH = 64
/** The same if there are more than `MAX_CONTAINERS` objects and lists: walking them all would block everything else. */
const INTRICATE_DEPTH = 8
const MAX_CONTAINERS = 20_000

/**
 * Parses JSON and keeps what a double would lose: a number that does not survive the round trip
 * (`12345678901234567890`, `1e999`) becomes the string of its digits.
 * @throws SyntaxError on anything that is not JSON
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return MAYBE_INEXACT.test(text) ? JSON.parse(text.replaceAll(STRING_OR_NUMBER, quoteInexact)) : value
}

/**
 * Finds every number of 16 digits or more, or with an exponent: no other is changed by a double. It may find what is in a
 * string, too.
 */
const MAYBE_INEXACT = /(?:^|[\s:,[-])\d(?:[\d.]{15}|[\d.]{0,15}[eE])/
/** Of a text that is known to be JSON, so that every string is closed. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"?|-?\d[\d.eE+-]*/g

/** Quotes a number that a double would change. A reviver could do it, but takes ten times as long. */
function quoteInexact(token: string): string {
  if (token.startsWith('"')) return token
  const value = Number(token)
  const isExact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
  return isExact ? token : `"${token}"`
}

/**
 * A string, which may hold slashes of its own, or a comment of either form. What is never closed is matched to the end:
 * skipping its first character and looking again would be quadratic.
 */
const STRING_OR_COMMENT = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|\/\/[^\r\n]*|\/\*[\s\S]*?(?:\*\/|$)/g

/**
 * The text with line and block comments turned into blanks, so that what follows keeps its place: examples of
 * events, Codeship's PagerDuty page among them, are written with comments.
 */
export function blankComments(text: string): string {
  return text.replaceAll(STRING_OR_COMMENT, (match) => {
    const isComment = match.startsWith('//') || (match.startsWith('/*') && match.slice(2).endsWith('*/'))
    return isComment ? match.replaceAll(/[^\r\n]/g, ' ') : match
  })
}

/** True for what JSON calls an object: not an array, not `null`. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a JSON value is, in JSON's own words: `a number`, `an array`. */
export function describeType(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/**
 * A copy that is safe to send: `null` and `undefined` dropped, lone surrogates and U+0000 replaced by U+FFFD (a server may
 * refuse them), numbers finite, nesting at most `MAX_DEPTH`. Returns `undefined` for a value without a JSON form.
 */
export function cleanJson(value: unknown, depthLeft = MAX_DEPTH): Json | undefined {
  if (typeof value === 'string') return cleanText(value)
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return undefined
  if (depthLeft <= 0) return asText(value)
  if (Array.isArray(value)) {
    return value.map((item) => cleanJson(item, depthLeft - 1)).filter((item) => item !== undefined)
  }
  return cleanMembers(value, depthLeft)
}

/** `cleanJson` for an object, which stays an object; returns the same one if there is nothing to clean, as is usual. */
export function cleanObject(value: object): JsonObject {
  const depthLeft = isIntricate(value) ? INTRICATE_DEPTH : MAX_DEPTH
  return isClean(value, depthLeft) ? value : cleanMembers(value, depthLeft)
}

function cleanMembers(value: object, depthLeft: number): JsonObject {
  const entries: [string, Json][] = []
  for (const [name, item] of Object.entries(value)) {
    const clean = cleanJson(item, depthLeft - 1)
    if (clean !== undefined) entries.push([cleanText(name), clean])
  }
  // `fromEntries` defines properties, so that a member named `__proto__` stays a member.
  return Object.fromEntries(entries)
}

/** Whether a value has more objects and lists than are walked one by one. Stops counting at that number. */
function isIntricate(value: object): boolean {
  const waiting: object[] = [value]
  let count = 1
  for (let next = waiting.pop(); next !== undefined && count <= MAX_CONTAINERS; next = waiting.pop()) {
    for (const item of Object.values(next) as unknown[]) {
      if (typeof item !== 'object' || item === null) continue
      waiting.push(item)
      count += 1
    }
  }
  return count > MAX_CONTAINERS
}

/** Whether a cleaned copy would be equal. Checking costs a fraction of copying. */
function isClean(value: object, depthLeft: number): value is JsonObject {
  if (Object.getPrototypeOf(value) !== Object.prototype || depthLeft <= 0) return false
  const members = value as Record<string, unknown>
  return Object.keys(members).every((name) => isCleanText(name) && isCleanJson(members[name], depthLeft - 1))
}

function isCleanJson(value: unknown, depthLeft: number): boolean {
  if (typeof value === 'string') return isCleanText(value)
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'boolean'
  if (!Array.isArray(value)) return isClean(value, depthLeft)
  return depthLeft > 0 && value.every((item) => isCleanJson(item, depthLeft - 1))
}

function cleanText(text: string): string {
  return isCleanText(text) ? text : text.toWellFormed().replaceAll('\0', '\uFFFD')
}

function isCleanText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function asText(value: object): string {
  try {
    return JSON.stringify(value).toWellFormed()
  } catch {
    return '…' // deeper than the stack allows, or with a cycle
  }
}

/** Bytes of a value on the wire: its JSON text in UTF-8. */
export function jsonBytes(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value))
}
