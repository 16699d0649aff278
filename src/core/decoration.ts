import { SEVERITIES } from './event.ts'
import { describeType, isObject, parseJson, type Json, type JsonObject } from './json.ts'
import { parseTimestamp, TIMESTAMP_EXAMPLES } from './timestamp.ts'

/*
 * Decoration is whatever an event can do without: PagerDuty needs a summary, a source, a severity and for some actions a
 * dedup key, and nothing else may keep a page from going out. So what cannot be used is turned into text or left out.
 */

/** Collects the changes that the writer may want to know about, each sentence once. */
export type Notes = Set<string>

/** Corrects a member; undefined if it has to be left out. `name` is for the notes. */
export type Correction = (value: Json, name: string, notes: Notes) => Json | undefined

/** How each of some members is corrected, by name. Others are carried along as they are. */
export type CorrectionTable = Readonly<Record<string, Correction>>

/** Text as it is, numbers and booleans as text, a list of those joined. */
function correctText(value: Json, name: string, notes: Notes): string | undefined {
  if (typeof value === 'string') {
    if (value.trim() !== '') return value
    notes.add(`${name} is blank, so it is left out`)
    return undefined
  }
  const parts: readonly Json[] = Array.isArray(value) ? value : [value]
  const text = parts.some((part) => typeof part === 'object') ? '' : parts.map(String).join(', ')
  if (!/[^\s,]/.test(text)) {
    notes.add(`${name} must be a string, not ${describeType(value)}, so it is left out`)
    return undefined
  }
  notes.add(`${name} must be a string, not ${describeType(value)}, so it is sent as text`)
  return text
}

/** Text that may be blank: PagerDuty accepts that in links and images. */
function correctLabel(value: Json, name: string, notes: Notes): string | undefined {
  return typeof value === 'string' ? value : correctText(value, name, notes)
}

/** A number or boolean as text. Anything else stays, for the schema to name: without this text there is no event. */
function correctRequiredText(value: Json, name: string, notes: Notes): Json | undefined {
  return typeof value === 'number' || typeof value === 'boolean' ? correctText(value, name, notes) : value
}

/** A severity in lower case. Anything else stays, for the schema to name. */
function correctSeverity(value: Json): Json {
  return typeof value === 'string' ? value.trim().toLowerCase() : value
}

function correctOptionalSeverity(value: Json, name: string, notes: Notes): Json | undefined {
  const severity = correctSeverity(value)
  if (SEVERITIES.some((known) => known === severity)) return severity
  notes.add(`${name} is not one of ${SEVERITIES.join(', ')}, so it is left out`)
  return undefined
}

/** What both kinds of URL are called in messages, and how they begin. */
const WEB = { what: 'an http(s) URL', scheme: /^https?:\/\//i }
const TLS = { what: 'an https URL', scheme: /^https:\/\//i }

/** An absolute URL of the web; a path, a word or an unreplaced placeholder does not count. */
export function correctUrl(
  value: Json,
  name: string,
  notes: Notes,
  { what, scheme } = WEB,
): string | undefined {
  const url = typeof value === 'string' ? value.trim() : ''
  if (scheme.test(url) && URL.canParse(url)) return url
  notes.add(
    value === '' ? `${name} is blank, so it is left out` : `${name} must be ${what}, so it is left out`,
  )
  return undefined
}

function correctTimestamp(value: Json, name: string, notes: Notes): string | undefined {
  const isReadable = typeof value === 'string' || typeof value === 'number'
  const timestamp = isReadable ? parseTimestamp(String(value)) : undefined
  if (timestamp === undefined) notes.add(`${name} must be like ${TIMESTAMP_EXAMPLES}, so it is left out`)
  else if (!timestamp.hasZone) notes.add(`${name} has no zone, so it is taken for UTC`)
  return timestamp?.iso
}

/** Details as text or list, which PagerDuty's rules cannot address, become an object. */
export function correctDetails(value: Json, name: string, notes: Notes): JsonObject {
  if (isObject(value)) return value
  const parsed = typeof value === 'string' ? parseObjectText(value) : undefined
  if (parsed !== undefined) return parsed
  notes.add(`${name} is not an object, so it is sent as its member "details"`)
  return { details: value }
}

/** The object that a text encodes as JSON: some clients encode twice. */
export function parseObjectText(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text)
    return isObject(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

/** Members of a link besides its `href`, and of an image besides its `src`. */
const LINK: CorrectionTable = { text: correctLabel }
const IMAGE: CorrectionTable = { href: correctUrl, alt: correctLabel }

/** Links, each an object or just its address; a single one counts as a list of one. */
export const correctLinks: Correction = (value, name, notes) =>
  correctList(value, name, notes, 'href', WEB, LINK)
/** Images in the same way; PagerDuty requires https. */
export const correctImages: Correction = (value, name, notes) =>
  correctList(value, name, notes, 'src', TLS, IMAGE)

// oxlint-disable-next-line max-params -- the three that a caller passes on, and the three that tell links from images
function correctList(
  value: Json,
  name: string,
  notes: Notes,
  address: 'href' | 'src',
  kind: typeof WEB,
  members: CorrectionTable,
): Json | undefined {
  const items: readonly Json[] = Array.isArray(value) ? value : [value]
  const kept = items.flatMap((item): JsonObject[] => {
    const object = isObject(item) ? item : { [address]: item }
    const url = correctUrl(object[address] ?? '', '', new Set(), kind)
    return url === undefined
      ? []
      : [{ ...correctMembers(object, members, `${name}[].`, notes), [address]: url }]
  })
  const dropped = items.length - kept.length
  if (dropped > 0) notes.add(`${dropped} of ${items.length} ${name} dropped: ${address} must be ${kind.what}`)
  return dropped > 0 && kept.length === 0 ? undefined : kept
}

/** Decoration of both kinds of event, beside `payload` and within it. */
const TOP = {
  links: correctLinks,
  images: correctImages,
  client: correctText,
  client_url: correctUrl,
} as const
const PAYLOAD = {
  component: correctText,
  group: correctText,
  class: correctText,
  timestamp: correctTimestamp,
  custom_details: correctDetails,
} as const

/** Every known member of an event and how it is corrected. What one kind requires is optional in the other. */
export const CORRECTIONS = {
  alert: {
    top: { ...TOP, dedup_key: correctText }, // a trigger without one gets a new one
    payload: {
      ...PAYLOAD,
      summary: correctRequiredText,
      source: correctRequiredText,
      severity: correctSeverity,
    },
  },
  change: {
    top: { ...TOP, dedup_key: correctText },
    payload: {
      ...PAYLOAD,
      summary: correctRequiredText,
      source: correctText,
      severity: correctOptionalSeverity,
    },
  },
} as const satisfies Record<string, { top: CorrectionTable; payload: CorrectionTable }>

/**
 * An object with its known members corrected, in the order in which they were written; the same object if there is nothing to
 * correct, as is usual.
 */
export function correctMembers(
  members: JsonObject,
  table: CorrectionTable,
  prefix: string,
  notes: Notes,
): JsonObject {
  let corrections: Map<string, Json | undefined> | undefined
  for (const name of Object.keys(members)) {
    const correct = Object.hasOwn(table, name) ? table[name] : undefined
    if (correct === undefined) continue
    const value = members[name] as Json
    const corrected = correct(value, prefix + name, notes)
    if (corrected !== value) (corrections ??= new Map()).set(name, corrected)
  }
  if (corrections === undefined) return members
  const entries = Object.entries(members).flatMap(([name, value]): [string, Json][] => {
    const corrected = corrections.has(name) ? corrections.get(name) : value
    return corrected === undefined ? [] : [[name, corrected]]
  })
  return Object.fromEntries(entries)
}
