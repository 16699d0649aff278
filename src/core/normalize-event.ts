import { correctMembers, CORRECTIONS, parseObjectText, type Notes } from './decoration.ts'
import { findProblems } from './event-schema.ts'
import { ACTIONS, type Action, type Event, type EventBody } from './event.ts'
import { cutWarning, fitEvent, type Fitted } from './fit.ts'
import { limitDedupKey } from './identity.ts'
import { describeType, isObject, type Json, type JsonObject } from './json.ts'
import { EXCESS_NOTE, withoutExcess } from './without-excess.ts'

/** Members of the old Events API v1, which the v2 endpoints refuse, and their replacements. */
const V1_MEMBERS: Readonly<Record<string, string>> = {
  service_key: 'routing_key',
  event_type: 'event_action',
  incident_key: 'dedup_key',
}

/** It counts as the key, since another key would page another service, and stays out of the event. */
const OLDER_KEY_NOTE = 'service_key is the name of the key in Events API v1; in v2 it is routing_key'

/** Members that are read wherever they are among thousands of others. */
const MEMBERS: readonly string[] = [
  'routing_key',
  'event_action',
  'dedup_key',
  'payload',
  'links',
  'images',
  'client',
  'client_url',
  ...Object.keys(V1_MEMBERS),
]

/** An event as its author meant it. The routing key is separate: a key is not part of an event. */
export interface ReadEvent {
  readonly event: Event
  readonly routingKey?: string
  /** What was corrected or cut, if the writer may want to know about it. */
  readonly warnings: readonly string[]
}

/** Why a document is not an event: a sentence for each problem, which names the field and no value. */
export interface InvalidEvent {
  readonly problems: readonly string[]
}

/**
 * Reads one event that others wrote in PagerDuty's JSON: corrects what can be corrected without guessing, fills in what is
 * missing, and brings it within PagerDuty's limits. The document's own values win. Only members that PagerDuty requires
 * can be a problem; see `decoration.ts` for the rest.
 * @param document the document after `cleanObject`
 * @param defaults a complete body of the same kind, for the members that the document omits
 */
export function readEvent(
  kind: Event['kind'],
  document: JsonObject,
  defaults: (action: Action) => EventBody,
): ReadEvent | InvalidEvent {
  const members = withoutExcess(document, MEMBERS)
  const { routing_key: key, service_key: olderKey, event_action: actionText, ...own } = members
  const routingKey = key === undefined || key === '' ? olderKey : key
  const version1 = version1Problems(members)
  const isVersion1 = actionText === undefined && own.payload === undefined
  if (isVersion1 && version1.length > 0) return { problems: version1 }
  const action = kind === 'change' ? 'trigger' : readAction(actionText)
  if (action === undefined) return { problems: [`event_action: must be one of ${ACTIONS.join(', ')}`] }
  const corrected =
    action === 'trigger'
      ? correctBody(kind, own, defaults(action))
      : correctFollowUp(action, own, defaults(action))
  const body = kind === 'alert' ? alertBody(action, corrected.body) : corrected.body
  const { event, cuts } = fitIfReadable({ kind, body })
  const problems = corrected.problems.length > 0 ? corrected.problems : findProblems(event)
  if (problems.length > 0) return { problems: [...problems, ...version1] }
  const hasKey = routingKey !== undefined && routingKey !== ''
  return {
    event,
    warnings: [
      ...(members === document ? [] : [EXCESS_NOTE]),
      ...(olderKey === undefined ? [] : [OLDER_KEY_NOTE]),
      ...corrected.warnings,
      ...cutWarning(cuts),
    ],
    // A key that is not a string is still returned, as text, so that the key's own check names the mistake.
    ...(hasKey && { routingKey: typeof routingKey === 'string' ? routingKey : JSON.stringify(routingKey) }),
  }
}

/** Fits a document with the shape of an event; `findProblems` describes what is wrong with any other. */
function fitIfReadable(event: Event): Fitted {
  const { payload } = event.body
  const isReadable = payload === undefined || typeof payload.summary === 'string'
  return isReadable ? fitEvent(event) : { event, cuts: [] }
}

function version1Problems(members: JsonObject): string[] {
  const found = Object.keys(V1_MEMBERS).filter((name) => Object.hasOwn(members, name))
  if (found.length === 0) return []
  const renames = found.map((name) => `${name} is ${V1_MEMBERS[name]}`).join(', ')
  return [`this is Events API v1; in v2 ${renames}, and the text goes into payload.summary`]
}

function readAction(action: Json | undefined): Action | undefined {
  const lower = typeof action === 'string' ? action.trim().toLowerCase() : ''
  return ACTIONS.find((name) => name === lower)
}

function alertBody(action: Action, { dedup_key: dedupKey, ...rest }: EventBody): EventBody {
  const key = typeof dedupKey === 'string' ? limitDedupKey(dedupKey) : dedupKey
  return { event_action: action, ...(key !== undefined && { dedup_key: key }), ...rest }
}

interface Corrected {
  readonly body: EventBody
  /** What could not be corrected, each naming its field. */
  readonly problems: readonly string[]
  /** What was corrected, if the writer may want to know about it. */
  readonly warnings: readonly string[]
}

/**
 * Corrects a body that a user wrote and fills missing members from `defaults`. Blank strings count as missing. Members that
 * PagerDuty does not know are kept.
 */
function correctBody(kind: Event['kind'], own: JsonObject, defaults: EventBody): Corrected {
  const notes: Notes = new Set()
  const { payload, ...top } = own
  const ownPayload = readPayload(payload, notes)
  const payloadMembers = withoutExcess(ownPayload ?? {}, PAYLOAD_MEMBERS)
  if (ownPayload !== undefined && payloadMembers !== ownPayload) notes.add(EXCESS_NOTE)
  const corrections = CORRECTIONS[kind]
  const body = {
    ...defaults,
    ...correctMembers(withoutBlanks(top, defaults), corrections.top, '', notes),
    payload: {
      ...defaults.payload,
      ...correctMembers(
        withoutBlanks(payloadMembers, defaults.payload ?? {}),
        corrections.payload,
        'payload.',
        notes,
      ),
    },
  }
  const problems =
    ownPayload === undefined && payload !== undefined
      ? [`payload: must be an object, not ${describeType(payload)}`]
      : []
  return { body: body as EventBody, problems, warnings: [...notes] }
}

/** PagerDuty reads only the dedup key of an acknowledge or resolve, so nothing else is read or sent. */
function correctFollowUp(
  action: Exclude<Action, 'trigger'>,
  { dedup_key: own = '' }: JsonObject,
  defaults: EventBody,
): Corrected {
  const notes: Notes = new Set()
  // Corrected as in a trigger, so that both have the same key. What cannot be corrected stays, for the schema to name.
  const given = isBlank(own) ? undefined : (CORRECTIONS.alert.top.dedup_key(own, 'dedup_key', notes) ?? own)
  const key = given ?? defaults.dedup_key
  const body = { event_action: action, ...(key !== undefined && { dedup_key: key }) }
  return { body: body as EventBody, problems: [], warnings: [...notes] }
}

/** Members that an alert must have. A blank one is missing, and the schema says so; it needs no note. */
const REQUIRED: ReadonlySet<string> = new Set(['summary', 'source', 'severity'])

/** An object, or its JSON as text. */
function readPayload(payload: Json | undefined, notes: Notes): JsonObject | undefined {
  if (isObject(payload)) return payload
  const parsed = typeof payload === 'string' ? parseObjectText(payload) : undefined
  if (parsed !== undefined)
    notes.add('payload must be an object, not a string; the JSON that it holds is used')
  return parsed
}

/** Members of a payload that are read wherever they are among thousands of others. */
const PAYLOAD_MEMBERS = [
  'summary',
  'source',
  'severity',
  'timestamp',
  'component',
  'group',
  'class',
  'custom_details',
]

/** Drops blank members that have a default or are required. */
function withoutBlanks(members: JsonObject, defaults: object): JsonObject {
  const isMissing = (name: string, value: Json): boolean =>
    isBlank(value) && (Object.hasOwn(defaults, name) || REQUIRED.has(name))
  if (!Object.keys(members).some((name) => isMissing(name, members[name] as Json))) return members
  return Object.fromEntries(Object.entries(members).filter(([name, value]) => !isMissing(name, value)))
}

function isBlank(value: Json): boolean {
  return typeof value === 'string' && value.trim() === ''
}
