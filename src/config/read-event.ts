import type { EventFields } from '../core/build-event.ts'
import type { IdentityChoices } from '../core/identity.ts'
import type { JsonObject } from '../core/json.ts'
import type { SuccessForm } from '../core/plan-events.ts'
import { checkTemplate } from '../core/summary.ts'
import type { Reader } from './reader.ts'
import {
  parseChoice,
  parseDetail,
  parseDetails,
  parseHttpUrl,
  parseImage,
  parseImageList,
  parseLink,
  parseLinkList,
  parseSeverity,
  parseTime,
  withDetail,
} from './values.ts'

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
    links: reader.many('link', parseLink, parseLinkList),
    images: reader.many('image', parseImage, parseImageList),
    client: reader.one('client', text),
    clientUrl: reader.one('clientUrl', parseHttpUrl),
    timestamp: reader.one('timestamp', parseTime),
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** `--details` (or its variable), with every `--detail` on top. */
function readDetails(reader: Reader): JsonObject | undefined {
  const base = reader.one('details', parseDetails)
  const single = reader.many('detail', parseDetail, () => [])
  if (base === undefined && single.length === 0) return undefined
  return single.reduce((details, { path, value }) => withDetail(details, path, value), base ?? {})
}
