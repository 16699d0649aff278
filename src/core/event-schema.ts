import { z } from 'zod'
import { ACTIONS, LIMITS, SEVERITIES, type Event } from './event.ts'
import { describeType, isObject, type JsonObject } from './json.ts'

const nonBlank = z.string().refine((text) => text.trim() !== '', 'must not be blank')
const webUrl = (scheme: RegExp, what: string): z.ZodType<string> =>
  z.string().refine((text) => scheme.test(text) && URL.canParse(text), `must be an ${what} URL`)
const httpUrl = webUrl(/^https?:\/\//i, 'http(s)')

const linksSchema = z.array(z.looseObject({ href: httpUrl, text: z.string().optional() }))
const imagesSchema = z.array(
  z.looseObject({
    src: webUrl(/^https:\/\//i, 'https'),
    href: httpUrl.optional(),
    alt: z.string().optional(),
  }),
)
const commonPayload = {
  summary: nonBlank.refine(
    (text) => text.length <= LIMITS.summaryChars,
    `must have at most ${LIMITS.summaryChars} characters`,
  ),
  timestamp: z.iso.datetime().optional(),
  component: nonBlank.optional(),
  group: nonBlank.optional(),
  class: nonBlank.optional(),
  custom_details: z.custom<JsonObject>(isObject, 'must be an object').optional(),
}
const commonTop = {
  images: imagesSchema.optional(),
  client: nonBlank.optional(),
  client_url: httpUrl.optional(),
}
const dedupKey = nonBlank.refine(
  (text) => text.length <= LIMITS.dedupKeyChars,
  `must have at most ${LIMITS.dedupKeyChars} characters`,
)

/** What PagerDuty accepts as an alert event, without `routing_key`. */
export const ALERT_SCHEMA = z.discriminatedUnion('event_action', [
  z.looseObject({
    event_action: z.literal('trigger'),
    dedup_key: dedupKey.optional(),
    payload: z.looseObject({ ...commonPayload, source: nonBlank, severity: z.enum(SEVERITIES) }),
    links: linksSchema.optional(),
    ...commonTop,
  }),
  z.looseObject({ event_action: z.enum(['acknowledge', 'resolve']), dedup_key: dedupKey }),
])

/** What PagerDuty accepts as a change event, without `routing_key`. */
export const CHANGE_SCHEMA = z.looseObject({
  payload: z.looseObject({ ...commonPayload, source: nonBlank.optional() }),
  links: linksSchema.max(LIMITS.changeLinks).optional(),
  ...commonTop,
})

/**
 * What PagerDuty would refuse in an event, one sentence a problem, each naming its field; empty for a good one.
 * Values are not repeated: they may be long or private.
 */
export function findProblems(event: { kind: Event['kind']; body: unknown }): string[] {
  const schema = event.kind === 'alert' ? ALERT_SCHEMA : CHANGE_SCHEMA
  const result = schema.safeParse(event.body)
  if (result.success) return []
  return result.error.issues.map((issue) => {
    const value = issue.path.reduce<unknown>(memberOf, event.body)
    return `${issue.path.join('.') || 'the event'}: ${sentence(issue, value)}`
  })
}

function memberOf(value: unknown, name: PropertyKey): unknown {
  const isParent = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
  return isParent ? (value as Record<PropertyKey, unknown>)[name] : undefined
}

function sentence(issue: z.core.$ZodIssue, value: unknown): string {
  const expected = expectation(issue)
  if (expected === undefined) return issue.message
  if (value === undefined) return `is missing; it must be ${expected}`
  const isWrongType = issue.code === 'invalid_type' || typeof value !== 'string'
  return isWrongType ? `must be ${expected}, not ${describeType(value)}` : `must be ${expected}`
}

/** What a value must be, if the issue's own message does not say it. */
function expectation(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === 'invalid_type')
    return /^[aeiou]/.test(issue.expected) ? `an ${issue.expected}` : `a ${issue.expected}`
  if (issue.code === 'invalid_value') return `one of ${issue.values.join(', ')}`
  return issue.code === 'invalid_union' ? `one of ${ACTIONS.join(', ')}` : undefined
}
