import { buildTrigger, type EventInput } from './build-event.ts'
import { durationInWords } from './duration.ts'
import type { Event, Payload } from './event.ts'
import { Failure } from './failure.ts'
import { fitEvent } from './fit.ts'
import type { JsonObject } from './json.ts'
import { startedKeyFor } from './identity.ts'
import { oneLine } from './mask-secrets.ts'
import { deploymentSubject, renderTemplate } from './summary.ts'

/**
 * A deployment that has begun, as the alert that is triggered only if it never ends. Its summary is the beginning of
 * that alert's, and `custom_details.outcome` is `started`.
 * @throws Failure of kind `usage` if there is no dedup key, since no outcome could be matched to it
 */
export function buildStarted(input: EventInput): Event {
  const { identity, fields, build, result, nowIso } = input
  const dedupKey = identity.dedupKey?.value
  if (dedupKey === undefined)
    throw new Failure(
      'usage',
      'no repository is known, so no outcome would end this: set --dedup-key (PAGERDUTY_DEDUP_KEY)',
    )
  const { isRollback } = fields
  const facts = { build, environment: identity.environment?.value, result: {}, isRollback }
  const rendered = fields.summary === undefined ? '' : renderTemplate(fields.summary, facts)
  const summary = { text: rendered === '' ? deploymentSubject(facts) : rendered, isReplaced: false }
  const begun = { ...input, result: { startedAt: result.startedAt ?? nowIso } }
  return fitEvent(asStarted(buildTrigger(begun, { outcome: 'failure' }, dedupKey, summary))).event
}

/** The class by which a rule of the service's orchestration knows the alerts to hold back. */
export const STARTED_CLASS = 'deploy.started'

/**
 * An alert that says a deployment has begun, for PagerDuty to hold back for as long as a rule of the service says: it
 * pages only if no outcome resolves it by then.
 * @throws Failure of kind `usage` if there is no dedup key
 */
export function buildSuspended(input: EventInput): Event {
  const { kind, body } = buildStarted(input)
  const { payload, dedup_key: failureKey = '' } = body
  if (payload === undefined) return { kind, body }
  const { started_at: startedAt, build_id: build } = payload.custom_details ?? {}
  const clock = typeof startedAt === 'string' ? ` at ${startedAt.slice(11, 16)} UTC` : ''
  const number = typeof build === 'string' ? ` (build ${build})` : ''
  const summary = oneLine(`${payload.summary} began${clock}${number} and has not ended`)
  return fitEvent({
    kind,
    body: {
      ...body,
      dedup_key: startedKeyFor(failureKey),
      payload: { ...payload, summary, class: STARTED_CLASS },
    },
  }).event
}

/** Marks any alert as that of a deployment that has begun, as `buildStarted` makes it. */
export function asStarted({ kind, body }: Event): Event {
  const { payload } = body
  if (payload === undefined) return { kind, body }
  const details = { ...payload.custom_details, outcome: 'started' }
  return { kind, body: { ...body, payload: { ...payload, custom_details: details } } }
}

/** How long a deployment has been running when its time is over. */
export interface Overdue {
  /** Since it began. */
  readonly elapsedMs: number
  /** Since it was last heard from. */
  readonly silentMs: number
  readonly nowIso: string
}

/** Heartbeats come at least once a minute, so a shorter silence is normal and not mentioned. */
const MENTIONED_MS = 90_000

/**
 * The failure alert of a deployment whose time is over: "Deployment of acme/shop@5f0c1d2 to production began 31 minutes
 * ago (build 42) and never ended". It has the dedup key of any other failure, so the next success resolves it.
 * @param started what `buildStarted` or `asStarted` made
 */
export function overdueAlert(started: Event, { elapsedMs, silentMs, nowIso }: Overdue): Event {
  const payload: Payload = started.body.payload ?? { summary: 'Deployment' }
  const details: JsonObject = payload.custom_details ?? {}
  const build = details['build_id']
  const isNumbered = typeof build === 'string' || typeof build === 'number'
  const heard =
    elapsedMs - silentMs < MENTIONED_MS ? '' : `, was last heard from ${durationInWords(silentMs)} ago`
  const story = `began ${durationInWords(elapsedMs)} ago${isNumbered ? ` (build ${build})` : ''}${heard} and never ended`
  return fitEvent({
    kind: started.kind,
    body: {
      ...started.body,
      payload: {
        ...payload,
        summary: oneLine(`${payload.summary} ${story}`),
        timestamp: nowIso,
        custom_details: { ...details, outcome: 'failure', overdue: true },
      },
    },
  }).event
}
