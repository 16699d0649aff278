import { Failure } from './failure.ts'
import { isUnreplaced } from './unreplaced.ts'
import { createSecret, maskSecret, type Secret } from './secret.ts'

/** A place to post events to. Messages name the alias, never the key. */
export interface RoutingKey {
  /** The user's name for it, else its masked form. */
  readonly alias: string
  readonly key: Secret
  /** Whether the REST API gave it: then it can be looked up again with the token. */
  readonly isLookedUp?: true
}

/** 32 letters and digits; not necessarily hexadecimal (PagerDuty's OpenAPI examples, its replies to bad keys). */
const ROUTING_KEY = /^[A-Za-z0-9]{32}$/
/** Key of a ruleset or of Global Event Orchestration: takes alerts, refuses change events. */
const ORCHESTRATION_KEY = /^R[0-9A-Z]{31}$/
const ALIAS = /^[A-Za-z0-9][\w.-]{0,63}$/
/** Names that keys without an alias have in a spool, and what callers of a relay call its own. */
const OWN_NAME = /^(?:default|relay|key-\d+)$/i

/**
 * What a token is, by its shape: REST API tokens have 20 characters or contain `+`, `-` or `_`
 * (blockpane/tenderduty#10, envato/pagerduty#70 show what PagerDuty answers to one used as a routing key).
 */
export function tokenKind(token: string): 'routing-key' | 'rest-token' | 'unknown' {
  if (ROUTING_KEY.test(token)) return 'routing-key'
  if (isUnreplaced(token)) return 'unknown'
  const hasMark = /[+_-]/.test(token) && /^[\w+-]*$/.test(token)
  return token.length === 20 || hasMark ? 'rest-token' : 'unknown'
}

/** Whether the key can take change events. */
export function takesChanges(key: Secret): boolean {
  return !ORCHESTRATION_KEY.test(key.reveal())
}

/**
 * Reads one routing key or several, separated by commas, each optionally `alias=key`.
 * @throws Failure of kind `config` that says what is wrong without repeating the value
 */
export function parseRoutingKeys(text: string): RoutingKey[] {
  const keys = new Map<string, RoutingKey>()
  const aliases = new Set<string>()
  for (const [index, entry] of text.split(',').entries()) {
    const where = text.includes(',') ? `entry ${index + 1} ` : ''
    const [first = '', second] = entry.split('=', 2).map((part) => part.trim())
    const alias = second === undefined ? undefined : first
    const value = second ?? first
    if (alias !== undefined) checkAlias(alias, aliases, where)
    checkRoutingKey(value, where)
    if (!keys.has(value)) keys.set(value, { alias: alias ?? maskSecret(value), key: createSecret(value) })
  }
  return [...keys.values()]
}

/**
 * Events are kept by their key's alias, so it has to mean one key.
 * @param taken aliases so far, to which this one is added
 */
function checkAlias(alias: string, taken: Set<string>, where: string): void {
  const refuse = (problem: string): never => {
    throw new Failure('config', `${where}has an alias that ${problem}`)
  }
  if (!ALIAS.test(alias)) refuse('is not a word of letters, digits, ".", "_" or "-"')
  if (tokenKind(alias) === 'routing-key') refuse('looks like a key itself, and an alias is printed')
  if (OWN_NAME.test(alias)) refuse('is reserved (default, relay, key-1, key-2, …)')
  if (taken.has(alias)) refuse('another key has already; give each key its own')
  taken.add(alias)
}

/** @throws Failure of kind `config` when the value is not shaped like a routing key */
function checkRoutingKey(value: string, where = ''): void {
  if (ROUTING_KEY.test(value)) return
  if (value === '') throw new Failure('config', `${where}is blank`)
  if (isUnreplaced(value)) {
    throw new Failure(
      'config',
      `${where}is a reference to a variable that was never replaced; define that variable for this build, with an Events ` +
        'API v2 integration key (32 letters and digits) as its value',
    )
  }
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) {
    throw new Failure(
      'config',
      `${where}is a UUID with dashes; an integration key has 32 letters and digits without them`,
    )
  }
  const others = value.replaceAll(/[A-Za-z0-9]/g, '').length // copied with the key, and perhaps invisible
  const length = `has ${value.length} characters${others === 0 ? '' : `, ${others} of them other than letters and digits`}`
  const found = tokenKind(value) === 'rest-token' ? 'looks like a REST API token' : length
  throw new Failure(
    'config',
    `${where}${found}; events need an Events API v2 integration key (32 letters and digits): ` +
      'in PagerDuty open the service, tab Integrations, add "Events API V2" and copy its Integration Key',
  )
}
