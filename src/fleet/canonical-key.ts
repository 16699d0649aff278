import type { DeliveryConfig } from '../config/delivery.ts'
import { createKeyFinder, toSpoolKey } from '../spool/key-names.ts'
import type { SpoolKey } from '../spool/spool.ts'

/** A function that returns a key's name in the fleet: a configured key has the first of its names, even if a caller brought it. */
export function createCanonical(keys: DeliveryConfig['keys']): (key: SpoolKey) => SpoolKey {
  const find = createKeyFinder(keys)
  return (key) => {
    const secret = find(key)
    return secret === undefined ? key : toSpoolKey(secret, keys)
  }
}
