import type { EventFields } from '../core/build-event.ts'
import type { IdentityChoices } from '../core/identity.ts'
import type { Image, Link } from '../core/event.ts'
import { mendImages, mendLinks, mendUrl, type Mend, type Notes } from '../core/decoration.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { SuccessForm } from '../core/plan-events.ts'
import { checkTemplate } from '../core/summary.ts'
import type { Reader } from './reader.ts'
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

/** What the user says an event shall hold. */
export interface EventConfig {
  readonly fields: EventFields
  readonly choices: IdentityChoices
  readonly as: SuccessForm
  readonly resolve: 'auto' | 'never'
}

/** Reads the settings that shape an event. */
export function readEventConfig(reader: Reader): EventConfig {
  return {
    fields: readFields(reader),
    choices: {
      environment: reader.traced('environment'),
      dedupKey: reader.traced('dedupKey'),
      source: reader.traced('source'),
      step: reader.traced('step'),
    },
    as: reader.one('as', parseChoice(['change', 'alert', 'both'])) ?? 'change',
    resolve: reader.one('resolve', parseChoice(['auto', 'never'])) ?? 'auto',
  }
}

function readFields(reader: Reader): EventFields {
  const text = (value: string): string => value
  const fields: { [K in keyof EventFields]: EventFields[K] | undefined } = {
    summary: reader.one('summary', checkTemplate),
    severity: reader.one('severity', parseSeverity),
    component: reader.one('component', text),
    group: reader.one('group', text),
    class: reader.one('class', text),
    details: readDetails(reader),
    links: decoration(reader, 'link', reader.many('link', parseLink, parseLinkList), mendLinks) as
      | readonly Link[]
      | undefined,
    images: decoration(reader, 'image', reader.many('image', parseImage, parseImageList), mendImages) as
      | readonly Image[]
      | undefined,
    client: reader.one('client', text),
    clientUrl: decoration(reader, 'clientUrl', reader.one('clientUrl', text), mendUrl) as string | undefined,
    timestamp: readTimestamp(reader),
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** A value that an event can do without: what is unusable of it is left out with a warning. */
function decoration(
  reader: Reader,
  name: 'link' | 'image' | 'clientUrl',
  value: Json | undefined,
  mend: Mend,
): Json | undefined {
  const notes: Notes = new Set()
  const mended = value === undefined ? undefined : mend(value, NAMES[name], notes)
  reader.warn(name, notes)
  return mended
}

const NAMES = { link: 'links', image: 'images', clientUrl: 'client_url' } as const

function readTimestamp(reader: Reader): string | undefined {
  const timestamp = reader.one('timestamp', parseTime)
  if (timestamp?.hasZone === false) reader.warn('timestamp', ['has no zone, so it is taken for UTC'])
  return timestamp?.iso
}

/** `--details` (or its variable), with every `--detail` on top. */
function readDetails(reader: Reader): JsonObject | undefined {
  const base = reader.one('details', parseDetails)
  const single = reader.many('detail', parseDetail, () => [])
  if (base === undefined && single.length === 0) return undefined
  return single.reduce((details, { path, value }) => withDetail(details, path, value), base ?? {})
}
