import type { DeliveryConfig } from '../../config/delivery.ts'
import { Failure } from '../../core/failure.ts'
import type { RoutingKey } from '../../core/routing-key.ts'
import type { Secret } from '../../core/secret.ts'
import type { Destination } from '../../delivery/request.ts'
import type { KeyLookUp } from '../../rest/remember-key.ts'
import type { SpoolKey } from '../spool.ts'

/** The name of the first key that has none, of one that is looked up, and of whichever a relay holds. */
const DEFAULT_NAME = 'default'

/**
 * The name under which events are kept for a configured key: its alias, or else its place, so that a key that is rotated
 * before the event is delivered is used anew.
 */
function spoolKeyName({ alias, key, isLookedUp }: RoutingKey, index: number): string {
  if (isLookedUp === true) return DEFAULT_NAME
  if (alias !== key.masked()) return alias
  return index === 0 ? DEFAULT_NAME : `key-${index + 1}`
}

/** How a key is kept: a configured one by its name, any other as it is; none is the deliverer's own. */
export function toSpoolKey(key: Secret | undefined, keys: readonly RoutingKey[]): SpoolKey {
  if (key === undefined) return { kind: 'configured', name: DEFAULT_NAME }
  const index = keys.findIndex((configured) => configured.key.reveal() === key.reveal())
  const found = keys[index]
  return found === undefined ? { kind: 'own', key } : { kind: 'configured', name: spoolKeyName(found, index) }
}

/** Every form in which a key may be kept: by its name, as the first one, and written out by a caller. */
export function spoolKeysOf(key: Secret | undefined, keys: readonly RoutingKey[]): SpoolKey[] {
  const kept = toSpoolKey(key, keys)
  if (key === undefined || kept.kind === 'own') return [kept]
  const isFirst = keys[0]?.key.reveal() === key.reveal()
  return [kept, { kind: 'own', key }, ...(isFirst ? [toSpoolKey(undefined, keys)] : [])]
}

/** The secret behind a kept key; undefined for a name that is not configured (any more). */
export function createKeyFinder(keys: readonly RoutingKey[]): (key: SpoolKey) => Secret | undefined {
  const byName = new Map(keys.map((key, index) => [spoolKeyName(key, index), key.key]))
  const [first] = keys
  if (first !== undefined && !byName.has(DEFAULT_NAME)) byName.set(DEFAULT_NAME, first.key)
  return (key) => (key.kind === 'own' ? key.key : byName.get(key.name))
}

/** Where the events of a kept key go, or why nowhere for now. */
export type Resolution = Destination | { readonly missing: string }
export type Resolve = (key: SpoolKey) => Resolution | Promise<Resolution>

/**
 * Makes the function that says where events go: to PagerDuty, or through the relay that holds the configured keys.
 * @param lookUp where no key is configured and a REST API token can tell it
 */
export function createResolver(
  { eventsUrl, relay, keys }: Pick<DeliveryConfig, 'eventsUrl' | 'relay' | 'keys'>,
  lookUp?: KeyLookUp,
): Resolve {
  const find = createKeyFinder(keys)
  const base = { baseUrl: eventsUrl, bearerToken: relay?.token }
  return (key) => {
    if (key.kind === 'configured' && relay !== undefined) return base
    const routingKey = find(key)
    if (routingKey !== undefined) return { ...base, routingKey }
    const name = key.kind === 'configured' ? key.name : ''
    if (lookUp === undefined || name !== DEFAULT_NAME)
      return { missing: `no routing key named ${name} is configured here` }
    return lookUp().then(
      (found) => ({ ...base, routingKey: found.key }),
      (error: unknown) => ({ missing: whyMissing(error) }),
    )
  }
}

function whyMissing(error: unknown): string {
  if (error instanceof Failure) return error.message.replaceAll('\n', '; ')
  throw error
}
