import { cutChars } from './truncate.ts'
import { LIMITS, type Event, type EventBody } from './event.ts'
import { cleanObject, type Json, type JsonObject } from './json.ts'
import { shrinkToBytes, type Cut } from './shrink.ts'

/** Bytes that `"routing_key":"…",` adds on the wire; the key joins the event only there. */
const ROUTING_KEY_BYTES = `"routing_key":"${'k'.repeat(32)}",`.length

/** An event within every limit, and what had to be cut for that. */
export interface Fitted {
  readonly event: Event
  readonly cuts: readonly Cut[]
}

/**
 * Brings an event within PagerDuty's limits and loses as little as they force: a long summary keeps its full text in
 * the details, links over the limit go from the end, and a body too large is shrunk (see `shrinkToBytes`).
 * `custom_details.truncated` tells the reader what was cut. Pure, and never throws.
 */
export function fitEvent(event: Event): Fitted {
  const clean = cleanObject(event.body) as EventBody
  const { payload } = clean
  if (payload === undefined) return { event: { kind: event.kind, body: clean }, cuts: [] } // nothing in it can grow
  const cuts: Cut[] = []
  const links = clean.links ?? []
  const maxLinks = event.kind === 'change' ? LIMITS.changeLinks : links.length
  let details = payload.custom_details
  const summary = cutChars(payload.summary, LIMITS.summaryChars)
  if (summary !== payload.summary) {
    const total = payload.summary.length
    cuts.push({ name: 'summary', lost: total - summary.length, total, unit: ' characters' })
    details = addDetail(details ?? {}, ['summary', 'full_summary'], payload.summary)
  }
  if (links.length > maxLinks)
    cuts.push({ name: 'links', lost: links.length - maxLinks, total: links.length, unit: '' })
  const body: EventBody = {
    ...clean,
    payload: { ...payload, summary, ...(details && { custom_details: details }) },
    ...(links.length > maxLinks && { links: links.slice(0, maxLinks) }),
  }
  const shrunk = shrinkToBytes(body, LIMITS.bodyBytes - ROUTING_KEY_BYTES, cuts)
  return { event: { kind: event.kind, body: shrunk.body }, cuts: shrunk.cuts }
}

/** Adds a detail of ours under the first of its names that the user has not taken. */
function addDetail(details: JsonObject, names: readonly string[], value: Json): JsonObject {
  const name = names.find((candidate) => !Object.hasOwn(details, candidate))
  return name === undefined ? details : { ...details, [name]: value }
}

/** Cuts that one warning tells of; a body of many large details may lose more. */
const MAX_TOLD = 10

/** One sentence on what was cut and how much of it, or none: `summary: 1,310 of 2,334 characters cut`. */
export function cutWarning(cuts: readonly Cut[]): string[] {
  const byName = new Map(cuts.map((cut) => [cut.name, cut]))
  const told = [...byName.values()].slice(0, MAX_TOLD).map(describeCut)
  if (byName.size > told.length) told.push(`${byName.size - told.length} more`)
  return told.length === 0 ? [] : [`cut to PagerDuty's limits: ${told.join('; ')}`]
}

function describeCut({ name, lost, total, unit }: Cut): string {
  return `${cutChars(name, MAX_NAME_CHARS)}: ${lost.toLocaleString('en')} of ${total.toLocaleString('en')}${unit} cut`
}

/** Longest name of a detail that a warning repeats. */
const MAX_NAME_CHARS = 64
