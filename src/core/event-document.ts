import type { Action, Event, EventBody } from './event.ts'
import { Failure } from './failure.ts'
import { cleanObject, isObject, type JsonObject } from './json.ts'
import { createMask, KEY_MEMBERS, maskMembers } from './mask-event.ts'
import { readEvent, type ReadEvent } from './normalize-event.ts'
import { tokenKind } from './routing-key.ts'
import { createSecret, type Secret } from './secret.ts'
import { cutChars } from './truncate.ts'

/** What the document may refer to, and what it must not show. */
export interface UserEventContext {
  /** The value of an environment variable, for `${NAME}` in the document. */
  readonly lookUp: (name: string) => string | undefined
  /** Whether a variable holds a secret of this program, which no event may show. */
  readonly isSecret?: (name: string) => boolean
  /** The program's own secrets, which are masked everywhere in the document. */
  readonly secrets?: readonly Secret[]
  /** A complete body of the same kind, for the members that the document omits. */
  readonly defaults: (kind: Event['kind'], action: Action) => EventBody
}

/**
 * Reads one event written in PagerDuty's JSON: replaces references, corrects what can be corrected without guessing, fills
 * in what is missing. The document's own values win. With `event_action` it is an alert, otherwise a change.
 * @param document parsed JSON
 * @throws Failure of kind `usage` that lists every problem by field
 */
export function readUserEvent(document: unknown, context: UserEventContext): ReadEvent {
  if (!isObject(document)) throw new Failure('usage', 'the event must be one JSON object')
  const kind = Object.hasOwn(document, 'event_action') ? 'alert' : 'change'
  const members = replaceReferences(cleanObject(document), context.lookUp, context.isSecret) as JsonObject
  const mask = createMask([...(context.secrets ?? []), ...ownKeys(members)])
  const reading = readEvent(kind, maskMembers(members, mask), (action) => context.defaults(kind, action))
  if ('problems' in reading)
    throw new Failure('usage', reading.problems.map((problem) => `event: ${problem}`).join('\n'))
  const warnings = kind === 'change' && looksLikeAlert(members) ? [LOOKS_LIKE_ALERT] : []
  return { ...reading, warnings: [...warnings, ...reading.warnings] }
}

/** The document's own routing key, which is a secret like any other. */
function ownKeys(members: JsonObject): Secret[] {
  const keys = KEY_MEMBERS.map((name) => members[name]).filter((key) => typeof key === 'string')
  return keys.flatMap((key) => (tokenKind(key.trim()) === 'routing-key' ? [createSecret(key.trim())] : []))
}

const LOOKS_LIKE_ALERT = 'the event has no event_action, so it is sent as a change event, which pages nobody'

function looksLikeAlert({ dedup_key: dedupKey, payload }: JsonObject): boolean {
  return dedupKey !== undefined || (isObject(payload) && Object.hasOwn(payload, 'severity'))
}

/**
 * `${NAME}`, or `$${` for a literal `${`. One that is never closed matches to the end of the text: skipping only its first
 * character and searching again would take quadratic time.
 */
const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g
/** How many names of unset variables a message lists. */
const MAX_LISTED = 20
/** How much of such a name it repeats, in UTF-16 units. */
const MAX_NAME_CHARS = 64
/** Longest text that references may add, in UTF-16 units: many times what an event can hold. */
const MAX_CHARS = 10_000_000

/**
 * Replaces `${NAME}` inside every string value of an event, but not in names of members. Only its `routing_key`, which is
 * not part of the event itself, may refer to a secret.
 * @param lookUp   the value of a variable, or undefined if it is not set
 * @param isSecret whether a variable holds a secret of this program
 * @throws Failure of kind `usage` that names every variable that is secret or not set, once
 */
export function replaceReferences(
  document: unknown,
  lookUp: (name: string) => string | undefined,
  isSecret: (name: string) => boolean = () => false,
): unknown {
  const missing = new Set<string>()
  const secret = new Set<string>()
  let length = 0
  const replace = (text: string): string =>
    text.replaceAll(REFERENCE, (reference, name?: string, close?: string) => {
      if (name === undefined) return reference.slice(1)
      if (close === '') return reference
      const value = lookUp(name)
      if (value === undefined) missing.add(name)
      if (isSecret(name)) secret.add(name)
      length += value?.length ?? 0
      if (length > MAX_CHARS)
        throw new Failure('usage', 'the event is far too long once its references are replaced')
      return value ?? ''
    })
  const { routing_key: routingKey, ...members } = isObject(document) ? document : {}
  const replaced = mapStrings(isObject(document) ? members : document, replace)
  refuse(secret, 'secrets of this program', 'only its routing_key may hold one')
  const key = typeof routingKey === 'string' ? replace(routingKey) : routingKey
  refuse(missing, 'variables that are not set', 'write $${ for a literal ${')
  return key === undefined ? replaced : { ...(replaced as object), routing_key: key }
}

/** @throws Failure if there are any */
function refuse(names: ReadonlySet<string>, what: string, advice: string): void {
  if (names.size > 0) throw new Failure('usage', `the event refers to ${what}: ${listed(names)} (${advice})`)
}

function listed(names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, MAX_LISTED).map((name) => `\${${cutChars(name, MAX_NAME_CHARS)}}`)
  const others = names.size > MAX_LISTED ? [`and ${names.size - MAX_LISTED} more`] : []
  return [...shown, ...others].join(', ')
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item: unknown) => mapStrings(item, map))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapStrings(item, map)]))
}
