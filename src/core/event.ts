import type { JsonObject } from './json.ts'

/**
 * Limits of PagerDuty's Events API v2. PagerDuty refuses a whole event that breaks one of them, so they are kept here.
 * Sources: developer.pagerduty.com "Events API v2 overview" and "Send an alert event"; or, if nothing is documented, the
 * reply that was observed.
 */
export const LIMITS = {
  /** Characters of `payload.summary`. Counted here in UTF-16 units, the strictest reading of "characters". */
  summaryChars: 1024,
  /** Characters of `dedup_key`. */
  dedupKeyChars: 255,
  /** Links of a change event; undocumented, observed as "links should have at most 50 item(s)" (go-pagerduty#478). */
  changeLinks: 50,
  /**
   * Bytes of a request body. The documents say 512 KB without saying which kilobyte; PagerDuty's own code in
   * Alertmanager (#2225) uses 512,000 bytes of encoded JSON.
   */
  bodyBytes: 512_000,
} as const

/** `payload.severity`; lower case only. */
export const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const
export type Severity = (typeof SEVERITIES)[number]

/** `event_action` of an alert event; lower case only. */
export const ACTIONS = ['trigger', 'acknowledge', 'resolve'] as const
export type Action = (typeof ACTIONS)[number]

/** A link that responders can follow. */
export interface Link {
  readonly href: string
  readonly text?: string
}

/** An image in the alert; PagerDuty requires HTTPS. */
export interface Image {
  readonly src: string
  readonly href?: string
  readonly alt?: string
}

/** `payload` of both kinds of event, in PagerDuty's names. Other members that a user gave are kept. */
export interface Payload {
  readonly summary: string
  readonly source?: string
  readonly severity?: Severity
  readonly timestamp?: string
  readonly component?: string
  readonly group?: string
  readonly class?: string
  readonly custom_details?: JsonObject
}

/** The JSON of one event without `routing_key`: an event says what happened, a key says where to post it. */
export interface EventBody {
  readonly event_action?: Action
  readonly dedup_key?: string
  readonly payload?: Payload
  readonly links?: readonly Link[]
  readonly images?: readonly Image[]
  readonly client?: string
  readonly client_url?: string
}

/** An event of either kind: an alert may page somebody, a change never does. */
export interface Event {
  readonly kind: 'alert' | 'change'
  readonly body: EventBody
}

/** Path of the endpoint that takes each kind of event. */
export const ENDPOINT = {
  alert: '/v2/enqueue',
  change: '/v2/change/enqueue',
} as const satisfies Record<Event['kind'], string>
