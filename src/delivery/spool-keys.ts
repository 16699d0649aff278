import type { DeliveryConfig } from '../config/read-delivery.ts'
import type { RoutingKey } from '../core/routing-key.ts'
import type { Secret } from '../core/secret.ts'
import type { Destination } from './request.ts'
import type { SpoolKey } from './spool.ts'

/** The name of the first key that has none, and of whichever a relay holds. */
const DEFAULT_NAME = 'default'

/**
 * The name under which events are kept for a configured key: its alias, or else its place, so that a key that is rotated
 * before the event is delivered is used anew.
 */
function spoolKeyName({ alias, key }: RoutingKey, index: number): string {
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

/**
 * Where the events of a kept key go: to PagerDuty, or through the relay that holds the configured keys.
 * @returns a function that gives undefined for a name that is not configured (any more)
 */
export function createResolver({
  eventsUrl,
  relay,
  keys,
}: Pick<DeliveryConfig, 'eventsUrl' | 'relay' | 'keys'>): (key: SpoolKey) => Destination | undefined {
  const byName = new Map(keys.map((key, index) => [spoolKeyName(key, index), key.key]))
  const [first] = keys
  if (first !== undefined && !byName.has(DEFAULT_NAME)) byName.set(DEFAULT_NAME, first.key)
  const base = { baseUrl: eventsUrl, bearerToken: relay?.token }
  return (key) => {
    if (key.kind === 'own') return { ...base, routingKey: key.key }
    if (relay !== undefined) return base
    const routingKey = byName.get(key.name)
    return routingKey === undefined ? undefined : { ...base, routingKey }
  }
}
