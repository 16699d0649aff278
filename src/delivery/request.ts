import type { DeliveryConfig } from '../config/delivery.ts'
import { ENDPOINT, type Event } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import { ORCHESTRATION_KEY_ADVICE } from '../core/refusal-advice.ts'
import { takesChanges } from '../core/routing-key.ts'
import type { Secret } from '../core/secret.ts'
import type { HttpRequest } from './exchange.ts'

/** One POST that can be made any number of times with the same bytes. */
export interface PostRequest extends HttpRequest {
  readonly method: 'POST'
  readonly body: Buffer
  /** Secrets in it that an answer may echo, to be masked. */
  readonly secrets: readonly Secret[]
}

/** Where a request goes, and with which credentials. A relay has the routing key itself. */
export interface Destination {
  /** Base URL without a slash at the end. */
  readonly baseUrl: string
  readonly routingKey?: Secret | undefined
  readonly bearerToken?: Secret | undefined
}

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
        throw new Failure('config', `key ${alias}: ${ORCHESTRATION_KEY_ADVICE}`)
      }
      return { event, destination: { ...base, routingKey: key }, ...(keys.length > 1 && { alias }) }
    }),
  )
}

/** How long to wait for the body of a 2xx: the event is accepted, whatever the body says. */
const ACCEPTED_BODY_MS = 1000

/**
 * Joins an event and a key into one request: the only place where a key becomes part of an event.
 * The Events API takes the key in the body and no authentication header (PagerDuty's OpenAPI has no security scheme).
 */
export function createRequest(event: Event, destination: Destination, userAgent: string): PostRequest {
  return createJsonRequest({ kind: event.kind, json: JSON.stringify(event.body) }, destination, userAgent)
}

/**
 * The same for an event that is already JSON, as in a spool.
 * @param event `json` is an object with at least one member and without a routing key
 */
export function createJsonRequest(
  { kind, json }: { readonly kind: Event['kind']; readonly json: string },
  { baseUrl, routingKey, bearerToken }: Destination,
  userAgent: string,
): PostRequest {
  const head = routingKey === undefined ? '{' : `{"routing_key":${JSON.stringify(routingKey.reveal())},`
  return {
    method: 'POST',
    url: baseUrl + ENDPOINT[kind],
    acceptedBodyMs: ACCEPTED_BODY_MS,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'user-agent': userAgent,
      ...(bearerToken && { authorization: `Bearer ${bearerToken.reveal()}` }),
    },
    body: Buffer.from(head + json.slice(1)),
    secrets: [routingKey, bearerToken].filter((secret) => secret !== undefined),
  }
}

/** The request as `--dry-run` prints it, with the key masked. */
export function describeRequest(event: Event, { baseUrl, routingKey }: Destination): Record<string, unknown> {
  return {
    method: 'POST',
    url: baseUrl + ENDPOINT[event.kind],
    body: { ...(routingKey && { routing_key: routingKey.masked() }), ...event.body },
  }
}
