import type { RoutingKey } from '../core/routing-key.ts'
import type { Secret } from '../core/secret.ts'
import type { SpoolKey } from './spool.ts'

/** The name of the first key without an alias, of a key that is looked up, and of the key that a relay has. */
export const DEFAULT_NAME = 'default'

/**
 * The name under which a configured key is stored: its alias, or else its position, so that after a key rotation stored
 * events go out with the new key.
 */
function spoolKeyName({ alias, key, isLookedUp }: RoutingKey, index: number): string {
  if (isLookedUp === true) return DEFAULT_NAME
  if (alias !== key.masked()) return alias
  return index === 0 ? DEFAULT_NAME : `key-${index + 1}`
}

/** The names under which configured keys are stored. */
export function keyNames(keys: readonly RoutingKey[]): string[] {
  return keys.map((key, index) => spoolKeyName(key, index))
}

/** How a key is stored: a configured one by its name, any other as it is. No key means the delivering process's own. */
export function toSpoolKey(key: Secret | undefined, keys: readonly RoutingKey[]): SpoolKey {
  if (key === undefined) return { kind: 'configured', name: DEFAULT_NAME }
  const index = keys.findIndex((configured) => configured.key.reveal() === key.reveal())
  const found = keys[index]
  return found === undefined ? { kind: 'own', key } : { kind: 'configured', name: spoolKeyName(found, index) }
}

/** Every form in which a key may be stored: by its name, as the default key, and as a caller's own. */
export function spoolKeysOf(key: Secret | undefined, keys: readonly RoutingKey[]): SpoolKey[] {
  const stored = toSpoolKey(key, keys)
  if (key === undefined || stored.kind === 'own') return [stored]
  const isFirst = keys[0]?.key.reveal() === key.reveal()
  return [stored, { kind: 'own', key }, ...(isFirst ? [toSpoolKey(undefined, keys)] : [])]
}

/** The secrets of configured keys by every name under which their events are stored. */
export function keysByName(keys: readonly RoutingKey[]): Map<string, Secret> {
  const byName = new Map(keys.map((key, index) => [spoolKeyName(key, index), key.key]))
  const [first] = keys
  if (first !== undefined && !byName.has(DEFAULT_NAME)) byName.set(DEFAULT_NAME, first.key)
  return byName
}

/** A function that returns the secret of a stored key; undefined if no key of that name is configured. */
export function createKeyFinder(keys: readonly RoutingKey[]): (key: SpoolKey) => Secret | undefined {
  const byName = keysByName(keys)
  return (key) => (key.kind === 'own' ? key.key : byName.get(key.name))
}
