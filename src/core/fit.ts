import { cutChars } from './cut.ts'
import { LIMITS, type Event, type EventBody } from './event.ts'
import { cleanObject, type Json, type JsonObject } from './json.ts'
import { shrinkToBytes } from './shrink.ts'

/** Bytes that `"routing_key":"…",` adds on the wire; the key joins the event only there. */
const ROUTING_KEY_BYTES = `"routing_key":"${'k'.repeat(32)}",`.length

/** An event within every limit, and the names of what had to be cut for that. */
export interface Fitted {
  readonly event: Event
  readonly truncated: readonly string[]
}

/**
 * Brings an event within PagerDuty's limits and loses as little as they force: a long summary keeps its full text in
 * the details, links over the limit go from the end, and a body too large is shrunk (see `shrinkToBytes`).
 * `custom_details.truncated` tells the reader what was cut. Pure, and never throws.
 */
export function fitEvent(event: Event): Fitted {
  const clean = cleanObject(event.body) as EventBody
  const { payload } = clean
  if (payload === undefined) return { event: { kind: event.kind, body: clean }, truncated: [] } // nothing in it can grow
  const truncated: string[] = []
  const links = clean.links ?? []
  const maxLinks = event.kind === 'change' ? LIMITS.changeLinks : links.length
  let details = payload.custom_details
  const summary = cutChars(payload.summary, LIMITS.summaryChars)
  if (summary !== payload.summary) {
    truncated.push('summary')
    details = addDetail(details ?? {}, ['summary', 'full_summary'], payload.summary)
  }
  if (links.length > maxLinks) truncated.push('links')
  const body: EventBody = {
    ...clean,
    payload: { ...payload, summary, ...(details && { custom_details: details }) },
    ...(links.length > maxLinks && { links: links.slice(0, maxLinks) }),
  }
  const shrunk = shrinkToBytes(body, LIMITS.bodyBytes - ROUTING_KEY_BYTES, truncated)
  return { event: { kind: event.kind, body: shrunk.body }, truncated: shrunk.truncated }
}

/** Adds a detail of ours under the first of its names that the user has not taken. */
function addDetail(details: JsonObject, names: readonly string[], value: Json): JsonObject {
  const name = names.find((candidate) => !Object.hasOwn(details, candidate))
  return name === undefined ? details : { ...details, [name]: value }
}

/** One sentence on what was cut, or none. */
export function truncationWarning(truncated: Iterable<string>): string[] {
  const names = [...new Set(truncated)]
  return names.length === 0 ? [] : [`cut to PagerDuty's limits: ${names.slice(0, 10).join(', ')}`]
}
