import { isIso8601 } from './iso-8601.ts'

/** A JSON object whose members are not checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>

/** One thing wrong with an event: where, and in what way. `words.ts` says it as PagerDuty would. */
export type Problem = { at: string } & (
  | { fault: 'blank' | 'wrong-length' | 'not-alphanumeric' | 'invalid' }
  | { fault: 'too-long' | 'too-many'; max: number }
  | { fault: 'not-a-choice'; choices: readonly string[] }
)

const KEY_LENGTH = 32
const SUMMARY_MAX = 1024
const DEDUP_KEY_MAX = 255
const CHANGE_LINKS_MAX = 50
const ACTIONS = ['trigger', 'acknowledge', 'resolve']
const SEVERITIES = ['critical', 'warning', 'error', 'info'] // in the order of PagerDuty's message

/**
 * Everything wrong with the body of `POST /v2/enqueue`; an empty list means that PagerDuty would take it.
 *
 * The rules are those of PagerDuty's OpenAPI file, its documentation and its observed replies, implemented independently
 * of the program that is tested here. If the server's behaviour is not known, the stricter interpretation is
 * taken, so that what passes here passes there: blank includes white space, lengths are UTF-16 units, `null` is
 * never a value, an image needs https, and a payload must match the schema even if it is not needed.
 */
export function alertProblems(event: JsonObject): Problem[] {
  const action = event['event_action']
  const addressesAlert = action === 'acknowledge' || action === 'resolve'
  return [
    ...routingKey(event['routing_key']),
    ...choice('event_action', event['event_action'], ACTIONS),
    ...text('dedup_key', event['dedup_key'], { isRequired: addressesAlert, max: DEDUP_KEY_MAX }),
    ...object('payload', event['payload'], { isRequired: action === 'trigger' }, (payload) => [
      ...text('payload.summary', payload['summary'], { isRequired: true, max: SUMMARY_MAX }),
      ...text('payload.source', payload['source'], { isRequired: true }),
      ...choice('payload.severity', payload['severity'], SEVERITIES),
      ...timestamp('payload.timestamp', payload['timestamp']),
      ...['component', 'group', 'class'].flatMap((name) => text(`payload.${name}`, payload[name])),
      ...object('payload.custom_details', payload['custom_details']),
    ]),
    ...text('client', event['client']),
    ...text('client_url', event['client_url']),
    ...list('links', event['links'], link),
    ...list('images', event['images'], image),
  ]
}

/** Everything wrong with the body of `POST /v2/change/enqueue`, in the same way as {@link alertProblems}. */
export function changeProblems(event: JsonObject): Problem[] {
  return [
    ...routingKey(event['routing_key']),
    ...object('payload', event['payload'], { isRequired: true }, (payload) => [
      ...text('payload.summary', payload['summary'], { isRequired: true, max: SUMMARY_MAX }),
      ...text('payload.source', payload['source']),
      ...timestamp('payload.timestamp', payload['timestamp']),
      ...object('payload.custom_details', payload['custom_details']),
    ]),
    ...list('links', event['links'], link, CHANGE_LINKS_MAX),
    ...list('images', event['images'], image),
  ]
}

/** Whether this is a JSON object: neither an array nor `null`. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function routingKey(value: unknown): Problem[] {
  const at = 'routing_key'
  const problems = text(at, value, { isRequired: true })
  if (problems.length > 0 || typeof value !== 'string') return problems
  if (value.length !== KEY_LENGTH) problems.push({ at, fault: 'wrong-length' })
  if (!/^[A-Za-z0-9]*$/.test(value)) problems.push({ at, fault: 'not-alphanumeric' })
  return problems
}

function text(at: string, value: unknown, { isRequired = false, max = Infinity } = {}): Problem[] {
  if (isMissing(value, isRequired)) return isRequired ? [{ at, fault: 'blank' }] : []
  if (typeof value !== 'string') return [{ at, fault: 'invalid' }]
  if (isRequired && value.trim() === '') return [{ at, fault: 'blank' }]
  return value.length > max ? [{ at, fault: 'too-long', max }] : []
}

function choice(at: string, value: unknown, choices: readonly string[]): Problem[] {
  const problems = text(at, value, { isRequired: true })
  if (problems.length > 0) return problems
  return choices.includes(String(value)) ? [] : [{ at, fault: 'not-a-choice', choices }]
}

function timestamp(at: string, value: unknown): Problem[] {
  if (value === undefined) return []
  return typeof value === 'string' && isIso8601(value) ? [] : [{ at, fault: 'invalid' }]
}

function object(
  at: string,
  value: unknown,
  { isRequired = false } = {},
  members: (value: JsonObject) => Problem[] = () => [],
): Problem[] {
  if (isMissing(value, isRequired)) return isRequired ? [{ at, fault: 'blank' }] : []
  return isObject(value) ? members(value) : [{ at, fault: 'invalid' }]
}

function list(
  at: string,
  value: unknown,
  item: (at: string, value: unknown) => Problem[],
  max = Infinity,
): Problem[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) return [{ at, fault: 'invalid' }]
  const tooMany: Problem[] = value.length > max ? [{ at, fault: 'too-many', max }] : []
  return [...tooMany, ...value.flatMap((entry: unknown, index) => item(`${at}[${index}]`, entry))]
}

function link(at: string, value: unknown): Problem[] {
  return object(at, value, {}, (fields) => [
    ...text(`${at}.href`, fields['href'], { isRequired: true }),
    ...text(`${at}.text`, fields['text']),
  ])
}

function image(at: string, value: unknown): Problem[] {
  return object(at, value, {}, (fields) => [
    ...imageSource(`${at}.src`, fields['src']),
    ...text(`${at}.href`, fields['href']),
    ...text(`${at}.alt`, fields['alt']),
  ])
}

function imageSource(at: string, value: unknown): Problem[] {
  const problems = text(at, value, { isRequired: true })
  if (problems.length > 0) return problems
  return /^https:/i.test(String(value)) ? [] : [{ at, fault: 'invalid' }]
}

/** `null` counts as missing if a value is required, and as wrong elsewhere. */
function isMissing(value: unknown, isRequired: boolean): boolean {
  return value === undefined || (isRequired && value === null)
}
