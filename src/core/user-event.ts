import { limitDedupKey } from './dedup-key.ts'
import { ACTIONS, type Action, type Event, type EventBody } from './event.ts'
import { findProblems } from './event-schema.ts'
import { Failure } from './failure.ts'
import { fitEvent, truncationWarning, type Fitted } from './fit.ts'
import { cleanObject, isObject, type Json, type JsonObject } from './json.ts'
import { mendBody } from './mend-body.ts'
import { replaceReferences } from './references.ts'

/** Members of the old Events API v1, which the v2 endpoints refuse, and what takes their place. */
const V1_MEMBERS: Readonly<Record<string, string>> = {
  service_key: 'routing_key',
  event_type: 'event_action',
  incident_key: 'dedup_key',
}

/** An event as its writer meant it. The routing key is split off: a key is not part of an event. */
export interface UserEvent {
  readonly event: Event
  readonly routingKey?: string
  readonly warnings: readonly string[]
}

export interface UserEventContext {
  /** Value of an environment variable, for `${NAME}` in the document. */
  readonly lookUp: (name: string) => string | undefined
  /** A whole body of the same kind, for the members that the document leaves out. */
  readonly defaults: (kind: Event['kind'], action: Action) => EventBody
}

/**
 * Reads one event written in PagerDuty's JSON: replaces references, mends what can be mended without guessing, fills
 * in what is missing. The document's own values win. `event_action` present makes it an alert, else it is a change.
 * @param document parsed JSON
 * @throws Failure of kind `usage` that lists every problem by field
 */
export function readUserEvent(document: unknown, { lookUp, defaults }: UserEventContext): UserEvent {
  if (!isObject(document)) throw new Failure('usage', 'the event must be one JSON object')
  refuseVersion1(document)
  const kind = Object.hasOwn(document, 'event_action') ? 'alert' : 'change'
  const clean = replaceReferences(cleanObject(document), lookUp) as JsonObject
  const { routing_key: routingKey, event_action: action, ...own } = clean
  const eventAction = readAction(kind === 'alert' ? action : 'trigger')
  const warnings = kind === 'change' && looksLikeAlert(own) ? [LOOKS_LIKE_ALERT] : []
  const mended = mendBody(own, defaults(kind, eventAction))
  const body = kind === 'alert' ? alertBody(eventAction, mended.body) : mended.body
  const { event, truncated } = fitIfReadable({ kind, body })
  const problems = [...mended.problems, ...findProblems(event)]
  if (problems.length > 0)
    throw new Failure('usage', problems.map((problem) => `event: ${problem}`).join('\n'))
  const hasKey = routingKey !== undefined && routingKey !== ''
  return {
    event,
    warnings: [...warnings, ...mended.warnings, ...truncationWarning(truncated)],
    // A key of another type than string is still given, as text, so that the key's own check names the mistake.
    ...(hasKey && { routingKey: typeof routingKey === 'string' ? routingKey : JSON.stringify(routingKey) }),
  }
}

/** Fits what has the shape of an event; the rest is left to `findProblems` to name. */
function fitIfReadable(event: Event): Fitted {
  const { payload, links = [] } = event.body
  const isReadable = payload === undefined || (typeof payload.summary === 'string' && Array.isArray(links))
  return isReadable ? fitEvent(event) : { event, truncated: [] }
}

const LOOKS_LIKE_ALERT = 'the event has no event_action, so it is sent as a change event, which pages nobody'

function looksLikeAlert({ dedup_key: dedupKey, payload }: JsonObject): boolean {
  return dedupKey !== undefined || (isObject(payload) && Object.hasOwn(payload, 'severity'))
}

function refuseVersion1(document: Record<string, unknown>): void {
  const found = Object.keys(V1_MEMBERS).filter((name) => Object.hasOwn(document, name))
  if (found.length === 0) return
  const renames = found.map((name) => `${name} is ${V1_MEMBERS[name]}`).join(', ')
  throw new Failure(
    'usage',
    `event: this is Events API v1; in v2 ${renames}, and the text goes into payload.summary`,
  )
}

function readAction(action: Json | undefined): Action {
  const lower = typeof action === 'string' ? action.trim().toLowerCase() : ''
  const known = ACTIONS.find((name) => name === lower)
  if (known === undefined)
    throw new Failure('usage', `event: event_action: must be one of ${ACTIONS.join(', ')}`)
  return known
}

/** PagerDuty reads nothing but the key of an acknowledge or resolve, so nothing else is sent. */
function alertBody(action: Action, { dedup_key: dedupKey, ...rest }: EventBody): EventBody {
  const key =
    typeof dedupKey === 'string'
      ? { dedup_key: limitDedupKey(dedupKey) }
      : dedupKey && { dedup_key: dedupKey }
  return { event_action: action, ...key, ...(action === 'trigger' && rest) }
}
