import type { DeliveryConfig } from '../../config/delivery.ts'
import { Failure } from '../../core/failure.ts'
import type { Destination } from '../../delivery/request.ts'
import type { KeyLookUp } from '../../rest/remember-key.ts'
import { createKeyFinder, DEFAULT_NAME } from '../key-names.ts'
import type { SpoolKey } from '../spool.ts'

/** The destination of a stored key's events, or why there is none for now. */
export type Resolution = Destination | { readonly missing: string }
export type Resolve = (key: SpoolKey) => Resolution | Promise<Resolution>

/**
 * A function that returns where events go: to PagerDuty, or to the relay that has the configured keys.
 * @param lookUp looks the key up with a REST API token if none is configured
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
