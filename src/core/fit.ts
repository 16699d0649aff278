import { groupDigits } from './group-digits.ts'
import { LIMITS, type Event, type EventBody } from './event.ts'
import { cleanObject, jsonBytes, type Json, type JsonObject } from './json.ts'
import { cutChars, cutJsonBytes } from './truncate.ts'

/** Bytes that `"routing_key":"…",` adds on the wire; the key joins the event only there. */
const ROUTING_KEY_BYTES = `"routing_key":"${'k'.repeat(32)}",`.length

/** An event within every limit, and what was cut for that. */
export interface Fitted {
  readonly event: Event
  readonly cuts: readonly Cut[]
}

/**
 * Brings an event within PagerDuty's limits and loses as little as possible: a long summary keeps its full text in the
 * details, excess links are dropped from the end, and a body that is too large is shrunk (see `shrinkToBytes`).
 * `custom_details.truncated` lists what was cut. Pure, and never throws.
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

/** How many cuts one warning lists; a body with many large details may have more. */
const MAX_DESCRIBED = 10

/** One sentence that says what was cut and how much of it, or none: `summary: 1,310 of 2,334 characters cut`. */
export function cutWarning(cuts: readonly Cut[]): string[] {
  const byName = new Map(cuts.map((cut) => [cut.name, cut]))
  const described = [...byName.values()].slice(0, MAX_DESCRIBED).map(describeCut)
  if (byName.size > described.length) described.push(`${byName.size - described.length} more`)
  return described.length === 0 ? [] : [`cut to PagerDuty's limits: ${described.join('; ')}`]
}

function describeCut({ name, lost, total, unit }: Cut): string {
  return `${cutChars(name, MAX_NAME_CHARS)}: ${groupDigits(lost)} of ${groupDigits(total)}${unit} cut`
}

/** Longest name of a detail that a warning repeats. */
const MAX_NAME_CHARS = 64

/** How much of each large detail is kept, in bytes of its JSON: enough to recognize it. */
const KEPT_DETAIL_BYTES = 128
/** The same for a field of the payload, the last thing to be touched. */
const KEPT_FIELD_BYTES = 1024
/** Names that `truncated` lists; further ones are counted, so that the list itself stays small. */
const MAX_LISTED = 50
/** Longest name that is listed whole, in bytes of its JSON string. */
const MAX_NAME_BYTES = 128
/** Set aside for `"truncated":[…]` without its names, and for the count of those not listed. */
const LIST_BYTES = 64
/** Fields without which an event is not valid or does not match its alert; none of them can be long. */
const REQUIRED: ReadonlySet<string> = new Set([
  'event_action',
  'dedup_key',
  'summary',
  'severity',
  'timestamp',
])
/** Fields that still mean something when cut; others are dropped whole, as a cut URL leads nowhere. */
const CUTTABLE: ReadonlySet<string> = new Set(['source', 'component', 'group', 'class', 'client'])

type Fields = Map<string, Json>

/** What was cut, and how much of it; `unit` is ` characters`, or empty if the name says it. */
export interface Cut {
  readonly name: string
  readonly lost: number
  readonly total: number
  readonly unit: string
}

/** The body in progress, the bytes that it still has to lose, and what was cut so far, by name. */
interface Draft {
  readonly top: Fields
  readonly payload: Fields
  readonly details: Fields
  readonly cut: Map<string, Cut>
  excessBytes: number
}

/**
 * Cuts a body until its JSON has at most `maxBytes` bytes, in this order and no further than needed: the output
 * (whose end is kept), the largest details, links and images from their ends, the rest of the details, other fields.
 * @param cuts what was already cut; `custom_details.truncated` lists all names
 */
function shrinkToBytes(
  body: EventBody,
  maxBytes: number,
  cuts: readonly Cut[],
): { body: EventBody; cuts: readonly Cut[] } {
  // Each time that a body of this size becomes JSON blocks everything else, so it happens as rarely as possible.
  const bytes = cuts.length === 0 ? jsonBytes(body as JsonObject) : undefined
  if (bytes !== undefined && bytes <= maxBytes) return { body, cuts }
  const draft = openDraft(body, cuts)
  draft.excessBytes = (bytes ?? jsonBytes(closeDraft(draft) as JsonObject)) - maxBytes
  if (draft.excessBytes > 0) {
    draft.excessBytes += LIST_BYTES
    const details = largestFirst(draft.details)
    const isOutput = ({ name }: Member): boolean => name === 'output'
    for (const member of [...details.filter(isOutput), ...details.filter((each) => !isOutput(each))])
      cutText(draft, draft.details, member, KEPT_DETAIL_BYTES)
    dropLast(draft, 'links')
    dropLast(draft, 'images')
    if (draft.excessBytes > 0) {
      for (const member of largestFirst(draft.details)) drop(draft, draft.details, member)
    }
    for (const fields of [draft.top, draft.payload]) shrinkFields(draft, fields)
  }
  return { body: closeDraft(draft), cuts: [...draft.cut.values()] }
}

function openDraft(body: EventBody, cuts: readonly Cut[]): Draft {
  const { payload, ...top } = body
  const { custom_details: details = {}, ...rest } = { ...payload }
  return {
    top: new Map(Object.entries(top as JsonObject)),
    payload: new Map(Object.entries(rest as JsonObject)),
    details: new Map(Object.entries(details)),
    cut: new Map(cuts.map((cut) => [cut.name, cut])),
    excessBytes: 0,
  }
}

function closeDraft({ top, payload, details, cut }: Draft): EventBody {
  const listed = [...cut.keys()].slice(0, MAX_LISTED).map((name) => cutJsonBytes(name, MAX_NAME_BYTES))
  if (cut.size > MAX_LISTED) listed.push(`and ${cut.size - MAX_LISTED} more`)
  const allDetails = new Map<string, Json>(details)
  if (listed.length > 0) allDetails.set(details.has('truncated') ? 'truncated_fields' : 'truncated', listed)
  const customDetails = allDetails.size > 0 && { custom_details: Object.fromEntries(allDetails) }
  return {
    ...Object.fromEntries(top),
    payload: { ...Object.fromEntries(payload), ...customDetails },
  } as EventBody
}

function cutText(draft: Draft, fields: Fields, { name, valueBytes: bytes }: Member, keptBytes: number): void {
  const value = fields.get(name)
  if (value === undefined || draft.excessBytes <= 0 || bytes <= keptBytes) return
  const text = textOf(value)
  makeRoom(draft, name)
  const cut = cutJsonBytes(
    text,
    Math.max(keptBytes, bytes - draft.excessBytes),
    name === 'output' ? 'tail' : 'head',
  )
  fields.set(name, cut)
  draft.excessBytes -= bytes - jsonBytes(cut)
  note(draft, name, { lost: text.length - cut.length, of: text.length, unit: ' characters' })
}

function drop(draft: Draft, fields: Fields, { name, bytes }: Member): void {
  if (draft.excessBytes <= 0) return
  makeRoom(draft, name)
  const { length } = textOf(fields.get(name) ?? '')
  note(draft, name, { lost: length, of: length, unit: ' characters' })
  fields.delete(name)
  draft.excessBytes -= bytes
}

function dropLast(draft: Draft, name: 'links' | 'images'): void {
  const items = draft.top.get(name)
  if (!Array.isArray(items) || items.length === 0 || draft.excessBytes <= 0) return
  makeRoom(draft, name)
  const kept = [...(items as Json[])]
  for (let last = kept.pop(); last !== undefined; last = draft.excessBytes > 0 ? kept.pop() : undefined) {
    draft.excessBytes -= jsonBytes(last) + 1
  }
  note(draft, name, { lost: items.length - kept.length, of: items.length, unit: '' })
  if (kept.length > 0) draft.top.set(name, kept)
  else draft.top.delete(name)
}

function shrinkFields(draft: Draft, fields: Fields): void {
  for (const member of largestFirst(fields)) {
    if (CUTTABLE.has(member.name)) cutText(draft, fields, member, KEPT_FIELD_BYTES)
    else if (!REQUIRED.has(member.name)) drop(draft, fields, member)
  }
}

/** The list of cut fields is part of the body: the bytes of a new name in it have to be saved elsewhere. */
function makeRoom(draft: Draft, name: string): void {
  if (draft.cut.has(name) || draft.cut.size >= MAX_LISTED) return
  draft.excessBytes += Math.min(jsonBytes(name), MAX_NAME_BYTES) + 1
}

/** Notes a cut; if the field was cut before, its original length counts. */
function note(
  draft: Draft,
  name: string,
  { lost, of, unit }: { lost: number; of: number; unit: string },
): void {
  const total = draft.cut.get(name)?.total ?? of
  draft.cut.set(name, { name, lost: lost + total - of, total, unit })
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A name, the bytes of its value, and those of the whole member: `"name":value,`. */
interface Member {
  readonly name: string
  readonly valueBytes: number
  readonly bytes: number
}

function largestFirst(fields: Fields): Member[] {
  const sized = [...fields].map(([name, value]) => {
    const valueBytes = jsonBytes(value)
    return { name, valueBytes, bytes: jsonBytes(name) + valueBytes + 2 }
  })
  return sized.toSorted((a, b) => b.bytes - a.bytes)
}
