import type { Event } from '../core/event.ts'
import type { Json } from '../core/json.ts'
import { createMask, type Mask } from '../core/mask-event.ts'
import { ORCHESTRATION_KEY_ADVICE } from '../core/refusal-advice.ts'
import type { OwnKeys } from '../config/load-relay.ts'
import { takesChanges } from '../core/routing-key.ts'
import { createSecret } from '../core/secret.ts'
import { toSpoolKey } from '../spool/key-names.ts'
import type { SpoolKey } from '../spool/spool.ts'

/** The keys that an event is sent with, or why there is none. */
export type Routing = { readonly keys: readonly SpoolKey[] } | { readonly problem: string }

const KEY_LENGTH = 32

/**
 * The key that a caller asks for: the one in the body or, if the body has none, in the `X-Routing-Key` header.
 */
export function requestedKey(
  inBody: string | undefined,
  header: string | string[] | undefined,
): string | undefined {
  return isOwnKey(inBody) && header !== undefined ? String(header) : inBody
}

/** A key as text. One that is not a string becomes text, too, so that the key's own check names the mistake. */
export function keyText(key: Json | undefined): string | undefined {
  return key === undefined || typeof key === 'string' ? key : JSON.stringify(key)
}

/** Masks a caller's key in what it says about a deployment, which lists and the page show. */
export function keyMask(given: string | undefined): Mask {
  const key = given?.trim() ?? ''
  return createMask(key.length === KEY_LENGTH ? [createSecret(key)] : [])
}

/** Whether the caller asks for the relay's own key. */
function isOwnKey(given: string | undefined): boolean {
  const text = given?.trim() ?? ''
  return text === '' || text === 'relay'
}

/**
 * The keys that an event is sent with: the caller's if it gave one, else each of the relay's own. The words about a bad key
 * are PagerDuty's.
 * @param given what the body has as `routing_key`; blank, absent or `relay` asks for the relay's
 */
export function routeEvent(kind: Event['kind'], given: string | undefined, configured: OwnKeys): Routing {
  if (given === undefined || isOwnKey(given)) return ownKeys(kind, configured)
  const text = given.trim()
  const key = createSecret(text)
  if (text.length !== KEY_LENGTH)
    return { problem: `Length of 'routing_key' is incorrect (should be ${KEY_LENGTH} characters)` }
  if (!/^[A-Za-z0-9]+$/.test(text))
    return { problem: "'routing_key' cannot contain non-alphanumeric characters." }
  if (kind === 'change' && !takesChanges(key))
    return { problem: `'routing_key': ${ORCHESTRATION_KEY_ADVICE}` }
  return { keys: [{ kind: 'own', key }] }
}

function ownKeys(kind: Event['kind'], configured: OwnKeys): Routing {
  if (configured === 'looked-up') return { keys: [toSpoolKey(undefined, [])] }
  if (configured.length === 0)
    return { problem: "'routing_key' cannot be blank: this relay has no key of its own (PAGERDUTY_TOKEN)" }
  const usable = configured.filter(({ key }) => kind === 'alert' || takesChanges(key))
  if (usable.length === 0) return { problem: `the relay's key: ${ORCHESTRATION_KEY_ADVICE}` }
  return { keys: usable.map(({ key }) => toSpoolKey(key, configured)) }
}
