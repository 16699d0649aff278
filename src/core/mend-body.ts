import { mendMembers, mendRequiredText, MENDS, parseObjectText, type Notes } from './decoration.ts'
import type { Action, Event, EventBody } from './event.ts'
import { describeType, isObject, type Json, type JsonObject } from './json.ts'
import { EXCESS_NOTE, withoutExcess } from './without-excess.ts'

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
export function mendBody(kind: Event['kind'], own: JsonObject, defaults: EventBody): Mended {
  const notes: Notes = new Set()
  const { payload, ...top } = own
  const ownPayload = readPayload(payload, notes)
  const payloadMembers = withoutExcess(ownPayload ?? {}, KNOWN)
  if (ownPayload !== undefined && payloadMembers !== ownPayload) notes.add(EXCESS_NOTE)
  const mends = MENDS[kind]
  const body = {
    ...defaults,
    ...mendMembers(withoutBlanks(top, defaults), mends.top, '', notes),
    payload: {
      ...defaults.payload,
      ...mendMembers(withoutBlanks(payloadMembers, defaults.payload ?? {}), mends.payload, 'payload.', notes),
    },
  }
  const problems =
    ownPayload === undefined && payload !== undefined
      ? [`payload: must be an object, not ${describeType(payload)}`]
      : []
  return { body: body as EventBody, problems, warnings: [...notes] }
}

/** Of an acknowledge or resolve PagerDuty reads the key alone, so nothing else is looked at or sent. */
export function mendFollowUp(
  action: Exclude<Action, 'trigger'>,
  { dedup_key: own = '' }: JsonObject,
  defaults: EventBody,
): Mended {
  const notes: Notes = new Set()
  const given = isBlank(own) ? undefined : mendRequiredText(own, 'dedup_key', notes)
  const key = given ?? defaults.dedup_key
  const body = { event_action: action, ...(key !== undefined && { dedup_key: key }) }
  return { body: body as EventBody, problems: [], warnings: [...notes] }
}

/** What an alert must have: blank it is missing, which the schema says, so there is no note on it. */
const REQUIRED: ReadonlySet<string> = new Set(['summary', 'source', 'severity'])

/** An object, or its JSON as text. */
function readPayload(payload: Json | undefined, notes: Notes): JsonObject | undefined {
  if (isObject(payload)) return payload
  const parsed = typeof payload === 'string' ? parseObjectText(payload) : undefined
  if (parsed !== undefined)
    notes.add('payload must be an object, not a string; the JSON that it holds is used')
  return parsed
}

/** Members of a payload that are read wherever they stand among thousands of others. */
const KNOWN = ['summary', 'source', 'severity', 'timestamp', 'component', 'group', 'class', 'custom_details']

/** Drops blank members that are filled from a default, or missed. */
function withoutBlanks(members: JsonObject, defaults: object): JsonObject {
  const isFilled = (name: string, value: Json): boolean =>
    isBlank(value) && (Object.hasOwn(defaults, name) || REQUIRED.has(name))
  if (!Object.entries(members).some(([name, value]) => isFilled(name, value))) return members
  return Object.fromEntries(Object.entries(members).filter(([name, value]) => !isFilled(name, value)))
}

function isBlank(value: Json): boolean {
  return typeof value === 'string' && value.trim() === ''
}
