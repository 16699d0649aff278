import type { EventBody } from './event.ts'
import { isObject, parseJson, type Json, type JsonObject } from './json.ts'
import { parseTimestamp, TIMESTAMP_EXAMPLES } from './timestamp.ts'

export interface Mended {
  readonly body: EventBody
  /** What could not be mended, each naming its field. */
  readonly problems: readonly string[]
  /** What was mended in a way that the writer may want to know of. */
  readonly warnings: readonly string[]
}

/**
 * Mends a body that a user wrote and fills the members it lacks from `defaults`. Blank strings count as lacking.
 * Members that are not PagerDuty's are carried along.
 */
export function mendBody(own: JsonObject, defaults: EventBody): Mended {
  const problems: string[] = []
  const warnings: string[] = []
  const { payload: ownPayload = {}, ...top } = own
  if (!isObject(ownPayload)) problems.push('payload: must be an object')
  const payload = withoutBlanks(isObject(ownPayload) ? ownPayload : {})
  const mendedTop = {
    ...withoutBlanks(top),
    ...(top.links !== undefined && { links: mendList(top.links, 'links', 'href', warnings) }),
    ...(top.images !== undefined && { images: mendList(top.images, 'images', 'src', warnings) }),
  }
  const mendedPayload = {
    ...payload,
    ...(typeof payload.severity === 'string' && { severity: payload.severity.trim().toLowerCase() }),
    ...(payload.timestamp !== undefined && { timestamp: mendTimestamp(payload.timestamp, problems) }),
    ...(payload.custom_details !== undefined && {
      custom_details: mendDetails(payload.custom_details, warnings),
    }),
  }
  const body = { ...defaults, ...mendedTop, payload: { ...defaults.payload, ...mendedPayload } }
  return { body: body as EventBody, problems, warnings }
}

function withoutBlanks(members: JsonObject): JsonObject {
  if (!Object.values(members).some(isBlank)) return members
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isBlank(value)))
}

function isBlank(value: Json): boolean {
  return typeof value === 'string' && value.trim() === ''
}

function mendTimestamp(value: Json, problems: string[]): Json {
  const isReadable = typeof value === 'string' || typeof value === 'number'
  const timestamp = isReadable ? parseTimestamp(String(value)) : undefined
  if (timestamp === undefined) problems.push(`payload.timestamp: must be like ${TIMESTAMP_EXAMPLES}`)
  return timestamp ?? '1970-01-01T00:00:00.000Z' // the problem is already listed once
}

/** Details as text or list, which PagerDuty's rules cannot address, become an object. */
function mendDetails(value: Json, warnings: string[]): JsonObject {
  if (isObject(value)) return value
  const parsed = typeof value === 'string' ? tryParse(value) : undefined
  if (isObject(parsed)) return parsed as JsonObject
  warnings.push('payload.custom_details is not an object, so it is sent as its member "details"')
  return { details: value }
}

function tryParse(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** A list of links or images without the entries that PagerDuty would refuse the whole event for. */
function mendList(value: Json, name: 'links' | 'images', required: 'href' | 'src', warnings: string[]): Json {
  const items: readonly Json[] = Array.isArray(value) ? value : [value]
  const scheme = name === 'links' ? /^https?:\/\//i : /^https:\/\//i
  const kept = items
    .map((item) => (typeof item === 'string' ? { [required]: item.trim() } : item))
    .filter((item) => {
      const url = isObject(item) ? item[required] : undefined
      return typeof url === 'string' && scheme.test(url) && URL.canParse(url)
    })
  const dropped = items.length - kept.length
  if (dropped > 0)
    warnings.push(
      `${dropped} of ${items.length} ${name} dropped: ${required} must be an ${name === 'links' ? 'http(s)' : 'https'} URL`,
    )
  return kept
}
