import { limitDedupKey } from './dedup-key.ts'
import { ACTIONS, type Action, type Event, type EventBody } from './event.ts'
import { findProblems } from './event-schema.ts'
import { fitEvent, truncationWarning, type Fitted } from './fit.ts'
import type { Json, JsonObject } from './json.ts'
import { mendBody } from './mend-body.ts'

/** Members of the old Events API v1, which the v2 endpoints refuse, and what takes their place. */
const V1_MEMBERS: Readonly<Record<string, string>> = {
  service_key: 'routing_key',
  event_type: 'event_action',
  incident_key: 'dedup_key',
}

/** An event as its writer meant it. The routing key is split off: a key is not part of an event. */
export interface ReadEvent {
  readonly event: Event
  readonly routingKey?: string
  /** What was mended or cut in a way that the writer may want to know of. */
  readonly warnings: readonly string[]
}

/** Why something is no event, a sentence each that names its field and no value. */
export interface NoEvent {
  readonly problems: readonly string[]
}

/**
 * Reads one event written in PagerDuty's JSON by others: mends what can be mended without guessing, fills in what is
 * missing, and brings it within PagerDuty's limits. The document's own values win.
 * @param members  the document after `cleanObject`
 * @param defaults a whole body of the same kind, for the members that the document leaves out
 */
export function readEvent(
  kind: Event['kind'],
  members: JsonObject,
  defaults: (action: Action) => EventBody,
): ReadEvent | NoEvent {
  const version1 = version1Problem(members)
  if (version1 !== undefined) return { problems: [version1] }
  const { routing_key: routingKey, event_action: actionText, ...own } = members
  const action = kind === 'change' ? 'trigger' : readAction(actionText)
  if (action === undefined) return { problems: [`event_action: must be one of ${ACTIONS.join(', ')}`] }
  const mended = mendBody(own, defaults(action))
  const body = kind === 'alert' ? alertBody(action, mended.body) : mended.body
  const { event, truncated } = fitIfReadable({ kind, body })
  const problems = [...mended.problems, ...findProblems(event)]
  if (problems.length > 0) return { problems }
  const hasKey = routingKey !== undefined && routingKey !== ''
  return {
    event,
    warnings: [...mended.warnings, ...truncationWarning(truncated)],
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

function version1Problem(members: JsonObject): string | undefined {
  const found = Object.keys(V1_MEMBERS).filter((name) => Object.hasOwn(members, name))
  if (found.length === 0) return undefined
  const renames = found.map((name) => `${name} is ${V1_MEMBERS[name]}`).join(', ')
  return `this is Events API v1; in v2 ${renames}, and the text goes into payload.summary`
}

function readAction(action: Json | undefined): Action | undefined {
  const lower = typeof action === 'string' ? action.trim().toLowerCase() : ''
  return ACTIONS.find((name) => name === lower)
}

/** PagerDuty reads nothing but the key of an acknowledge or resolve, so nothing else is sent. */
function alertBody(action: Action, { dedup_key: dedupKey, ...rest }: EventBody): EventBody {
  const key =
    typeof dedupKey === 'string'
      ? { dedup_key: limitDedupKey(dedupKey) }
      : dedupKey && { dedup_key: dedupKey }
  return { event_action: action, ...key, ...(action === 'trigger' && rest) }
}
