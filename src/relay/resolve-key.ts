import type { DeliveryConfig } from '../config/read-delivery.ts'
import type { Destination } from '../delivery/request.ts'
import type { SpoolKey } from '../delivery/spool.ts'

/**
 * Where the events of a key go: PagerDuty, in the name of the configured key of that alias or of the caller's own.
 * @returns a function that gives undefined for an alias that is not configured (any more)
 */
export function createResolver({
  eventsUrl,
  keys,
}: DeliveryConfig): (key: SpoolKey) => Destination | undefined {
  const byAlias = new Map(keys.map(({ alias, key }) => [alias, key]))
  return (key) => {
    const routingKey = key.kind === 'own' ? key.key : byAlias.get(key.name)
    return routingKey === undefined ? undefined : { baseUrl: eventsUrl, routingKey }
  }
}
