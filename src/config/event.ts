import { parseRepositoryUrl } from '../ci/repository-url.ts'
import type { EventFields } from '../core/build-event.ts'
import type { IdentityChoices } from '../core/identity.ts'
import type { Image, Link } from '../core/event.ts'
import { correctImages, correctLinks, correctUrl, type Correction, type Notes } from '../core/decoration.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { SuccessForm } from '../core/plan-events.ts'
import { checkTemplate } from '../core/summary.ts'
import {
  parseChoice,
  parseDetail,
  parseDetails,
  parseImage,
  parseImageList,
  parseLink,
  parseLinkList,
  parseSeverity,
  parseTime,
  withDetail,
} from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** What an event says. */
export const EVENT_SETTINGS = inGroup('event', {
  summary: {
    option: 'summary',
    variable: 'PAGERDUTY_SUMMARY',
    value: 'TEXT',
    parse: checkTemplate,
    help: 'title of the event; {{branch}}, {{shortCommit}}, {{environment}} and others are filled in',
  },
  severity: {
    option: 'severity',
    variable: 'PAGERDUTY_SEVERITY',
    value: 'LEVEL',
    parse: parseSeverity,
    help: 'critical, error, warning or info; default: error',
  },
  source: {
    option: 'source',
    variable: 'PAGERDUTY_SOURCE',
    value: 'NAME',
    help: 'the affected system; default: the repository',
  },
  component: {
    option: 'component',
    variable: 'PAGERDUTY_COMPONENT',
    value: 'NAME',
    help: 'the affected component; default for `failure`: the repository',
  },
  group: {
    option: 'group',
    variable: 'PAGERDUTY_GROUP',
    value: 'NAME',
    help: 'group of the component; default for `failure`: the environment',
  },
  class: {
    option: 'class',
    variable: 'PAGERDUTY_CLASS',
    value: 'NAME',
    help: 'class of the event; default for `failure`: deploy',
  },
  environment: {
    option: 'environment',
    variable: 'PAGERDUTY_ENVIRONMENT',
    value: 'NAME',
    help: 'environment that is deployed to, e.g. production; default: the branch',
  },
  step: {
    option: 'step',
    value: 'NAME',
    help: 'which deployment this is, if several go to one environment; part of the dedup key',
  },
  detail: {
    option: 'detail',
    value: 'KEY=VALUE',
    repeatable: true,
    parse: parseDetail,
    help: 'one custom detail; a.b=1 nests, JSON values keep their type',
  },
  details: {
    option: 'details',
    variable: 'PAGERDUTY_DETAILS',
    value: 'JSON',
    parse: parseDetails,
    help: 'custom details as a JSON object',
  },
  link: {
    option: 'link',
    variable: 'PAGERDUTY_LINKS',
    value: 'URL[|TEXT]',
    repeatable: true,
    parse: parseLink,
    parseVariable: parseLinkList,
    help: 'a link for responders; the variable takes a JSON list of {"href","text"}',
  },
  image: {
    option: 'image',
    variable: 'PAGERDUTY_IMAGES',
    value: 'SRC[|HREF[|ALT]]',
    repeatable: true,
    parse: parseImage,
    parseVariable: parseImageList,
    help: 'an https image; the variable takes a JSON list of {"src","href","alt"}',
  },
  client: {
    option: 'client',
    variable: 'PAGERDUTY_CLIENT',
    value: 'NAME',
    help: 'name of the reporting system; default: the CI',
  },
  clientUrl: {
    option: 'client-url',
    variable: 'PAGERDUTY_CLIENT_URL',
    value: 'URL',
    help: 'web page of the reporting system; default: the build',
  },
  dedupKey: {
    option: 'dedup-key',
    variable: 'PAGERDUTY_DEDUP_KEY',
    value: 'KEY',
    help: 'default: deploy/<repository>/<environment>[/<step>]',
  },
  timestamp: {
    option: 'timestamp',
    value: 'TIME',
    parse: parseTime,
    help: 'ISO 8601 with a zone, or epoch seconds; default: now',
  },
  repositoryUrl: {
    variable: 'PAGERDUTY_REPOSITORY_URL',
    value: 'URL',
    parse: parseRepositoryUrl,
    help: 'web page of the repository, for links and its name, if the CI provides none',
  },
  isRollback: {
    option: 'rollback',
    help: 'report a rollback: the summary, the class and the details say so; PAGERDUTY_ROLLBACK=true does the same',
  },
  status: {
    option: 'status',
    variable: 'PAGERDUTY_STATUS',
    value: 'STATUS',
    help: "picks the command if none is named: success, failure, cancelled, skipped, your CI's word, or $?",
  },
  as: {
    option: 'as',
    variable: 'PAGERDUTY_AS',
    value: 'FORM',
    parse: parseChoice<SuccessForm>(['change', 'alert', 'both']),
    default: 'change',
    help: 'what `success` sends: change, alert (severity info) or both',
  },
  resolve: {
    option: 'resolve',
    variable: 'PAGERDUTY_RESOLVE',
    value: 'WHEN',
    parse: parseChoice<'auto' | 'never'>(['auto', 'never']),
    default: 'auto',
    help: 'whether `success` resolves the failure alert: auto or never',
  },
})

type EventReader = Reader<keyof typeof EVENT_SETTINGS>

/** What the user says about an event. */
export interface EventConfig {
  readonly fields: EventFields
  readonly choices: IdentityChoices
  readonly as: SuccessForm
  readonly resolve: 'auto' | 'never'
}

/**
 * Reads the settings that shape an event.
 * @param isRollback whether `PAGERDUTY_ROLLBACK`, which is a setting of `gate`, says that the deployment is a rollback
 */
export function readEventConfig(reader: EventReader, isRollback = false): EventConfig {
  const read = valuesOf(reader, EVENT_SETTINGS)
  return {
    fields: { ...readFields(reader), ...((isRollback || read('isRollback')) && { isRollback: true }) },
    choices: {
      environment: reader.traced('environment'),
      dedupKey: reader.traced('dedupKey'),
      source: reader.traced('source'),
      step: reader.traced('step'),
    },
    as: read('as'),
    resolve: read('resolve'),
  }
}

function readFields(reader: EventReader): EventFields {
  const read = valuesOf(reader, EVENT_SETTINGS)
  const fields: { [K in keyof Omit<EventFields, 'isRollback'>]: EventFields[K] | undefined } = {
    summary: read('summary'),
    severity: read('severity'),
    component: read('component'),
    group: read('group'),
    class: read('class'),
    details: readDetails(reader),
    links: decoration(reader, 'link', correctLinks) as readonly Link[] | undefined,
    images: decoration(reader, 'image', correctImages) as readonly Image[] | undefined,
    client: read('client'),
    clientUrl: decoration(reader, 'clientUrl', correctUrl) as string | undefined,
    timestamp: readTimestamp(reader),
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** A value that an event can do without: an unusable part is left out with a warning. */
function decoration(
  reader: EventReader,
  name: 'link' | 'image' | 'clientUrl',
  correct: Correction,
): Json | undefined {
  const value: Json | undefined = valuesOf(reader, EVENT_SETTINGS)(name)
  const notes: Notes = new Set()
  const corrected = value === undefined ? undefined : correct(value, MEMBER[name], notes)
  reader.warn(name, notes)
  return corrected
}

const MEMBER = { link: 'links', image: 'images', clientUrl: 'client_url' } as const

function readTimestamp(reader: EventReader): string | undefined {
  const timestamp = valuesOf(reader, EVENT_SETTINGS)('timestamp')
  if (timestamp?.hasZone === false) reader.warn('timestamp', ['has no zone, so it is taken for UTC'])
  return timestamp?.iso
}

/** `--details` (or its variable), with every `--detail` on top. */
function readDetails(reader: EventReader): JsonObject | undefined {
  const read = valuesOf(reader, EVENT_SETTINGS)
  const base = read('details')
  const single = read('detail')
  if (base === undefined && single.length === 0) return undefined
  return single.reduce((details, { path, value }) => withDetail(details, path, value), base ?? {})
}
