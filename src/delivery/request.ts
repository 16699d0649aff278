import { ENDPOINT, type Event } from '../core/event.ts'
import type { Secret } from '../core/secret.ts'
import type { HttpRequest } from './exchange.ts'

/** One POST, ready to be made any number of times with the same bytes. */
export interface PostRequest extends HttpRequest {
  readonly method: 'POST'
  readonly body: Buffer
  /** What it carries that an answer may echo, and nobody is to see. */
  readonly secrets: readonly Secret[]
}

/** Where a request goes to, and in whose name. A relay holds the key itself. */
export interface Destination {
  /** Base URL without a slash at the end. */
  readonly baseUrl: string
  readonly routingKey?: Secret | undefined
  readonly bearerToken?: Secret | undefined
}

/** How long the body of a 2xx is waited for: the event is accepted whatever it says. */
const ACCEPTED_BODY_MS = 1000

/**
 * Joins event and key into the request that carries both: the only place where a key becomes part of an event.
 * The Events API takes the key in the body and no authentication header (PagerDuty's OpenAPI has no security scheme).
 */
export function createRequest(event: Event, destination: Destination, userAgent: string): PostRequest {
  return createJsonRequest({ kind: event.kind, json: JSON.stringify(event.body) }, destination, userAgent)
}

/**
 * The same for an event that is JSON already, as a spool keeps it.
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
