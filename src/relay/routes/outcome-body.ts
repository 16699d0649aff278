import { z } from 'zod'
import { parseFailureForm, parsePageAfter } from '../../config/paging.ts'
import { parseBoolean, parseCount, parseLink, parseSeverity } from '../../config/parsers.ts'
import {
  correctDetails,
  correctLinks,
  correctMembers,
  type Correction,
  type Notes,
} from '../../core/decoration.ts'
import { SEVERITIES, type Link, type Severity } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { cleanObject, describeType, parseJson, type Json, type JsonObject } from '../../core/json.ts'
import type { FailureForm } from '../../core/plan-events.ts'
import { present } from '../../core/present.ts'
import { checkTemplate } from '../../core/summary.ts'

/** What a caller of `/success` or `/failure` says about the deployment. The build provides the rest. */
export interface OutcomeBody {
  readonly summary?: string
  readonly severity?: Severity
  readonly environment?: string
  readonly exitCode?: number
  readonly output?: string
  readonly details?: JsonObject
  readonly links?: readonly Link[]
  readonly isRollback?: boolean
  readonly failureAs?: FailureForm
  readonly after?: number
}

/**
 * The documented shape of that body. More is accepted: members that cannot be used, and without which the event can still
 * be sent, are left out. In a form every member is text.
 */
export const OUTCOME_SCHEMA = z.object({
  summary: z.string().optional().describe('Title of the event; a template, as --summary takes it.'),
  severity: z
    .string()
    .optional()
    .describe(`How bad a failure is: ${SEVERITIES.join(', ')}. Default: error.`),
  environment: z
    .string()
    .optional()
    .describe('Environment that is deployed to, e.g. production. It is part of the dedup key.'),
  exit_code: z.union([z.int(), z.string()]).optional().describe('Exit status of the deployment, 0 to 255.'),
  output: z.string().optional().describe('Its output. The last lines are shown, with secrets masked.'),
  details: z
    .union([z.record(z.string(), z.unknown()), z.string()])
    .optional()
    .describe('Custom details: an object, or its JSON as text.'),
  links: z
    .union([
      z.string(),
      z.array(z.union([z.string(), z.looseObject({ href: z.string(), text: z.string().optional() })])),
    ])
    .optional()
    .describe('Links for responders: a list of {"href","text"} or URL|TEXT, or a single URL|TEXT.'),
  rollback: z
    .union([z.boolean(), z.string()])
    .optional()
    .describe('Whether the deployment is a rollback: true or false.'),
  failure_as: z
    .string()
    .optional()
    .describe('How to report a failure: alert, or change, which pages nobody. Default: the relay’s setting.'),
  routing_key: z
    .string()
    .optional()
    .describe('Routing key of another service. Default: the relay’s own key.'),
  after: z
    .union([z.int(), z.string()])
    .optional()
    .describe('Page only from this failure in a row. Default: the relay’s setting, or 1.'),
})

/** The body, and what was corrected or left out; or what is wrong with it, one sentence for each mistake. */
export type ReadOutcome =
  | { readonly body: OutcomeBody; readonly notes: readonly string[] }
  | { readonly problems: readonly string[] }

/** Reads the members of a JSON body or a form. Blank texts count as left out. */
export function readOutcomeBody(members: JsonObject): ReadOutcome {
  const given = Object.entries(members).filter(
    ([, value]) => typeof value !== 'string' || value.trim() !== '',
  )
  const notes: Notes = new Set()
  const problems: string[] = []
  const known = given.filter(([name]) => Object.hasOwn(OUTCOME_SCHEMA.shape, name))
  // Their names may contain anything, so they are counted and not named.
  if (known.length < given.length)
    notes.add(`${given.length - known.length} unknown members are left out; the known ones are ${NAMES}`)
  const corrected = correctMembers(Object.fromEntries(known), CORRECTIONS, '', notes)
  const body: { [K in keyof OutcomeBody]: OutcomeBody[K] | undefined } = {
    summary: required(corrected, 'summary', checkTemplate, problems),
    severity: required(corrected, 'severity', (text) => parseSeverity(text.trim()), problems),
    environment: required(corrected, 'environment', (text) => text.trim(), problems),
    exitCode: corrected['exit_code'] as number | undefined,
    output: corrected['output'] as string | undefined,
    details: corrected['details'] as JsonObject | undefined,
    links: corrected['links'] as readonly Link[] | undefined,
    isRollback: corrected['rollback'] as boolean | undefined,
    failureAs: corrected['failure_as'] as FailureForm | undefined,
    after: corrected['after'] as number | undefined,
  }
  if (problems.length > 0) return { problems }
  return { body: present(body), notes: [...notes] }
}

const NAMES = Object.keys(OUTCOME_SCHEMA.shape).join(', ')
const MAX_EXIT_CODE = 255

/** A correction that leaves out what cannot be read. */
function correcting(parse: (text: string) => Json, rule: string): Correction {
  return (value, name, notes) => {
    try {
      return parse(typeof value === 'string' ? value.trim() : JSON.stringify(value))
    } catch {
      notes.add(`${name} ${rule}`)
      return undefined
    }
  }
}

/** Output as text; anything else is shown as its JSON. */
function correctOutput(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A list of links or one of them, or as text `URL|TEXT` or the JSON of a list. */
function correctOutcomeLinks(value: Json, name: string, notes: Notes): Json | undefined {
  const list = typeof value === 'string' && value.trim().startsWith('[') ? tryParse(value) : value
  const items: readonly Json[] = Array.isArray(list) ? list : [list]
  return correctLinks(
    items.map((item) => (typeof item === 'string' ? parseLink(item) : item)),
    name,
    notes,
  )
}

function tryParse(text: string): Json {
  try {
    const value = parseJson(text)
    return Array.isArray(value) ? (cleanObject({ value })['value'] ?? []) : text
  } catch {
    return text
  }
}

/** How optional members are corrected. */
const CORRECTIONS: Readonly<Record<string, Correction>> = {
  exit_code: correcting(
    parseCount(MAX_EXIT_CODE),
    `must be a whole number from 0 to ${MAX_EXIT_CODE}, so it is left out`,
  ),
  output: correctOutput,
  details: correctDetails,
  links: correctOutcomeLinks,
  rollback: correcting(parseBoolean, 'must be true or false, so it is left out'),
  failure_as: correcting(parseFailureForm, 'must be alert or change, so it is left out'),
  after: correcting(parsePageAfter, 'must be a whole number from 1 to 100, so it is left out'),
}

/** A text that decides what the event says or which alert it is about, so a mistake in it is a problem. */
function required<T>(
  members: JsonObject,
  name: 'summary' | 'severity' | 'environment',
  parse: (text: string) => T,
  problems: string[],
): T | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  try {
    if (typeof value === 'object') throw new Failure('usage', `must be a string, not ${describeType(value)}`)
    return parse(String(value))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    problems.push(`${name}: ${error.message}`)
    return undefined
  }
}
