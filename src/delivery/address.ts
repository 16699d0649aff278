import type { DeliveryConfig } from '../config/delivery.ts'
import type { Event } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import { ORCHESTRATION_KEY_HINT } from '../core/refusal-advice.ts'
import { takesChanges } from '../core/routing-key.ts'
import type { Destination } from './request.ts'

/** An event and one destination. */
export interface Post {
  readonly event: Event
  readonly destination: Destination
  /** The routing key's alias, if there are several keys; messages name it. */
  readonly alias?: string
}

/**
 * Addresses every event to every key, or once to the relay, which has the key.
 * @throws Failure of kind `config` if a key cannot take one of the events
 */
export function addressEvents(events: readonly Event[], { eventsUrl, relay, keys }: DeliveryConfig): Post[] {
  const base = { baseUrl: eventsUrl, bearerToken: relay?.token }
  if (keys.length === 0) return events.map((event) => ({ event, destination: base }))
  return events.flatMap((event) =>
    keys.map(({ alias, key }) => {
      if (event.kind === 'change' && !takesChanges(key)) {
        throw new Failure('config', `key ${alias}: ${ORCHESTRATION_KEY_HINT}`)
      }
      return { event, destination: { ...base, routingKey: key }, ...(keys.length > 1 && { alias }) }
    }),
  )
}
