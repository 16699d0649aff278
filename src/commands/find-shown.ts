import type { Event, EventBody } from '../core/event.ts'
import { oneLine } from '../core/mask-secrets.ts'
import { hasOpenAlert } from '../rest/alerts.ts'
import { listChangeEvents } from '../rest/change-events.ts'
import type { RestClient } from '../rest/client.ts'
import { listIncidentsOfAlert } from '../rest/incidents.ts'
import type { ChangeEntry, Incident } from '../rest/resources.ts'

/** What PagerDuty shows of an event, or what it shows instead. */
export interface Shown {
  readonly isShown: boolean
  /** What is there, as a message says it; absent if nothing is. */
  readonly sentence?: string
}

/** Where to look for an event. */
export interface EventSearch {
  readonly client: RestClient
  readonly serviceId: string
  /** When sending began, in epoch milliseconds. */
  readonly sentAtMs: number
}

/** How far PagerDuty's clock may be behind this machine's. */
const CLOCK_MARGIN_MS = 60_000
/** How much wider the span is in which change events are listed. */
const SPAN_MARGIN_MS = 60 * 60_000
/** PagerDuty may store whole seconds. */
const SAME_TIME_MS = 1000

/**
 * Looks for an event that PagerDuty has accepted.
 * @throws Failure as `ask` does
 */
export async function findShown(event: Event, search: EventSearch): Promise<Shown> {
  if (event.kind === 'change') return await findChange(event, search)
  const { event_action: action, dedup_key: dedupKey = '' } = event.body
  const { client, serviceId } = search
  const incidents = await listIncidentsOfAlert(client, { serviceId, dedupKey })
  const open = incidents.filter(({ status }) => status !== 'resolved')
  if (action === 'resolve') return await findResolved(open, dedupKey, search)
  return action === 'acknowledge' ? findAcknowledged(open) : findTriggered(incidents, open, search)
}

async function findChange({ body }: Event, { client, serviceId, sentAtMs }: EventSearch): Promise<Shown> {
  const atMs = Date.parse(body.payload?.timestamp ?? '') || sentAtMs
  const entries = await listChangeEvents(client, serviceId, {
    since: new Date(Math.min(atMs, sentAtMs) - SPAN_MARGIN_MS).toISOString(),
    until: new Date(Math.max(atMs, sentAtMs) + SPAN_MARGIN_MS).toISOString(),
  })
  const isShown = entries.some((entry) => isSameChange(entry, body))
  return isShown ? { isShown, sentence: 'PagerDuty shows it' } : { isShown }
}

/** Change events have no key, so summary and time have to do. PagerDuty gives an event without a time its own. */
function isSameChange({ summary = '', timestamp = '' }: ChangeEntry, { payload }: EventBody): boolean {
  const plain = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
  const differenceMs = Math.abs(Date.parse(timestamp) - Date.parse(payload?.timestamp ?? ''))
  return plain(summary) === plain(payload?.summary ?? '') && !(differenceMs > SAME_TIME_MS)
}

/** An incident that was open before is the alert's own, but it does not prove that this trigger has arrived. */
function findTriggered(
  incidents: readonly Incident[],
  open: readonly Incident[],
  { sentAtMs }: EventSearch,
): Shown {
  const isNew = ({ created_at: createdAt = '' }: Incident): boolean =>
    Date.parse(createdAt) >= sentAtMs - CLOCK_MARGIN_MS
  const opened = open.find(isNew) ?? incidents.find(isNew)
  if (opened !== undefined) return { isShown: true, sentence: `PagerDuty shows it: ${addressOf(opened)}` }
  const [earlier] = open
  if (earlier === undefined) return { isShown: false }
  return {
    isShown: true,
    sentence: `PagerDuty shows an incident of this alert that was already open: ${addressOf(earlier)}`,
  }
}

function findAcknowledged([incident]: readonly Incident[]): Shown {
  if (incident === undefined)
    return {
      isShown: false,
      sentence: 'PagerDuty shows no open incident of this alert, so there is nothing to acknowledge',
    }
  const isShown = incident.status === 'acknowledged'
  return { isShown, sentence: `PagerDuty shows its incident as ${incident.status}: ${addressOf(incident)}` }
}

async function findResolved(
  open: readonly Incident[],
  dedupKey: string,
  { client }: EventSearch,
): Promise<Shown> {
  for (const incident of open) {
    // One after another: there is hardly ever more than one.
    // oxlint-disable-next-line no-await-in-loop
    if (incident.id === undefined || (await hasOpenAlert(client, { incidentId: incident.id, dedupKey })))
      return { isShown: false, sentence: `PagerDuty shows the alert still open: ${addressOf(incident)}` }
  }
  return { isShown: true, sentence: 'PagerDuty shows no open alert of it' }
}

function addressOf({ html_url: link, id }: Incident): string {
  return oneLine(link ?? id ?? 'an incident')
}
