import { z } from 'zod'
import { parseCount, parseDetails, parseLink, parseLinkList, parseSeverity } from '../config/values.ts'
import { SEVERITIES, type Link, type Severity } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import { cleanObject, type JsonObject } from '../core/json.ts'
import { oneLine } from '../core/mask.ts'
import { checkTemplate } from '../core/summary.ts'

/** What a caller of `/success` or `/failure` says of the deployment. What it leaves out, the build says. */
export interface OutcomeBody {
  readonly summary?: string
  readonly severity?: Severity
  readonly environment?: string
  readonly exitCode?: number
  readonly output?: string
  readonly details?: JsonObject
  readonly links?: readonly Link[]
}

/** The shape of that body; what the texts mean is read after it. In a form every member is text. */
export const OUTCOME_SCHEMA = z.strictObject({
  summary: z.string().optional().describe('Title of the event; a template, as --summary takes it.'),
  severity: z
    .string()
    .optional()
    .describe(`How bad a failure is: ${SEVERITIES.join(', ')}. Default: error.`),
  environment: z.string().optional().describe('Where to was deployed. It decides which alert is meant.'),
  exit_code: z.union([z.int(), z.string()]).optional().describe('Exit status of what deployed, 0 to 255.'),
  output: z.string().optional().describe('What it printed. The last lines are shown, with secrets masked.'),
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
    .describe('Links for responders: a list of {"href","text"} or of URL|TEXT, or one of the latter.'),
})

/** A body that was read, or what is wrong with it, a sentence a mistake. */
export type ReadOutcome = OutcomeBody | { readonly problems: readonly string[] }

/** Reads the members of a JSON body or a form. Blank texts count as left out. */
export function readOutcomeBody(members: Readonly<Record<string, unknown>>): ReadOutcome {
  const given = Object.entries(cleanObject(members)).filter(
    ([, value]) => typeof value !== 'string' || value.trim() !== '',
  )
  const shape = OUTCOME_SCHEMA.safeParse(Object.fromEntries(given))
  if (!shape.success) return { problems: shape.error.issues.map(describeIssue) }
  const { summary, severity, environment, exit_code: exitCode, output, details, links } = shape.data
  const problems: string[] = []
  const read = <T, U>(name: string, value: T | undefined, parse: (value: T) => U): U | undefined => {
    try {
      return value === undefined ? undefined : parse(value)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      problems.push(`${name}: ${error.message}`)
      return undefined
    }
  }
  const body: { [K in keyof OutcomeBody]: OutcomeBody[K] | undefined } = {
    summary: read('summary', summary, checkTemplate),
    severity: read('severity', severity, (text) => parseSeverity(text.trim())),
    environment: environment?.trim(),
    exitCode: read('exit_code', exitCode, (value) => parseCount(MAX_EXIT_CODE)(String(value).trim())),
    output,
    details: read('details', details, readDetails),
    links: read('links', links, (value) => (Array.isArray(value) ? value : [value]).flatMap(readLinks)),
  }
  if (problems.length > 0) return { problems }
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
}

const MAX_EXIT_CODE = 255

function readDetails(value: Record<string, unknown> | string): JsonObject {
  return typeof value === 'string' ? parseDetails(value) : cleanObject(value)
}

/** `URL|TEXT`, a JSON list of links as text, or one link as an object. */
function readLinks(value: string | { href: string; text?: string | undefined }): Link[] {
  if (typeof value !== 'string') return parseLinkList(JSON.stringify([value]))
  return value.trim().startsWith('[') ? parseLinkList(value) : [parseLink(value)]
}

/** Says what is wrong with a member, by its name and never by its value. */
function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(OUTCOME_SCHEMA.shape).join(', ')
    const shown = issue.keys.slice(0, MAX_NAMES).map((key) => oneLine(key.slice(0, MAX_NAME)))
    const rest = issue.keys.length > MAX_NAMES ? ` and ${issue.keys.length - MAX_NAMES} more` : ''
    return `unknown: ${shown.join(', ')}${rest}; known are ${known}`
  }
  const name = issue.path.join('.')
  if (issue.code === 'invalid_union') return `${name}: has the wrong type`
  return `${name}: ${issue.message}`
}

/** How many unknown members are named. */
const MAX_NAMES = 10
/** Longest name of an unknown member that is repeated. */
const MAX_NAME = 64
