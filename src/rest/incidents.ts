import { ask, askAll, toRestFailure } from './query.ts'
import type { RestCall, RestClient } from './client.ts'
import { INCIDENTS_ANSWER, NOTES_ANSWER, type Incident } from './resources.ts'

/**
 * Every open incident of a service, oldest first. Without `date_range=all` PagerDuty omits those older than a month. The
 * caller compares urgencies, since PagerDuty's filter needs an ability that not every account has.
 * @throws Failure as `ask` does
 */
export async function listOpenIncidents(client: RestClient, serviceId: string): Promise<Incident[]> {
  return await list(client, 'list the service’s open incidents', [
    ['service_ids[]', serviceId],
    ['statuses[]', 'triggered'],
    ['statuses[]', 'acknowledged'],
    ['date_range', 'all'],
  ])
}

/**
 * The incidents of a service that were created at or after a time, oldest first, whatever their status is by now.
 * @param since ISO 8601 with `Z`
 * @param alertKey only those with an alert of this dedup key; PagerDuty takes a blank one for every key
 * @throws Failure as `ask` does
 */
export async function listIncidentsSince(
  client: RestClient,
  { serviceId, since, alertKey }: { serviceId: string; since: string; alertKey?: string },
): Promise<Incident[]> {
  return await list(client, 'list the service’s new incidents', [
    ['service_ids[]', serviceId],
    ['since', since],
    ...(alertKey === undefined ? [] : [['incident_key', alertKey] as const]),
  ])
}

async function list(
  client: RestClient,
  purpose: string,
  query: NonNullable<RestCall['query']>,
): Promise<Incident[]> {
  const pages = await askAll(client, {
    purpose,
    scope: 'incidents.read',
    call: { method: 'GET', path: '/incidents', query: [...query, ['sort_by', 'created_at:asc']] },
    answer: INCIDENTS_ANSWER,
  })
  return client.mask(pages.flatMap(({ incidents }) => incidents))
}

/** The latest hundred incidents of a service since a time, in one attempt. @throws Failure as `ask` does */
export async function latestIncidents(
  client: RestClient,
  { serviceId, since }: { serviceId: string; since: string },
): Promise<readonly Incident[]> {
  const query = [
    ['service_ids[]', serviceId],
    ['since', since],
  ] as const
  return await listNewest(client, {
    purpose: 'list the service’s new incidents',
    query,
    limit: 100,
    isOnce: true,
  })
}

/**
 * The incidents of a service that have an alert with a dedup key, the newest 25 first, whatever their status. PagerDuty's
 * filter `incident_key` matches the keys of an incident's alerts; a blank one would match every incident.
 * @throws Failure as `ask` does
 */
export async function listIncidentsOfAlert(
  client: RestClient,
  { serviceId, dedupKey }: { serviceId: string; dedupKey: string },
): Promise<readonly Incident[]> {
  const query = [
    ['service_ids[]', serviceId],
    ['incident_key', dedupKey],
    ['date_range', 'all'],
  ] as const
  return await listNewest(client, { purpose: 'find the alert’s incident', query, limit: 25, isOnce: false })
}

interface Newest {
  readonly purpose: string
  readonly query: NonNullable<RestCall['query']>
  /** At most 100, which is PagerDuty's largest page. */
  readonly limit: number
  readonly isOnce: boolean
}

async function listNewest(
  client: RestClient,
  { purpose, query, limit, isOnce }: Newest,
): Promise<readonly Incident[]> {
  const newestFirst = [...query, ['sort_by', 'created_at:desc'], ['limit', String(limit)]] as const
  const { incidents } = await ask(client, {
    purpose,
    scope: 'incidents.read',
    call: { method: 'GET', path: '/incidents', query: newestFirst, isOnce },
    answer: INCIDENTS_ANSWER,
  })
  return client.mask(incidents)
}

/** The texts of an incident's notes. @throws Failure as `ask` does */
export async function listNotes(client: RestClient, incidentId: string): Promise<string[]> {
  const { notes } = await ask(client, {
    purpose: `list the notes on the incident ${incidentId}`,
    scope: 'incidents.read',
    call: { method: 'GET', path: `/incidents/${encodeURIComponent(incidentId)}/notes` },
    answer: NOTES_ANSWER,
  })
  return notes.map(({ content }) => content)
}

/** Writes a note on an incident, in one attempt: another one might write it twice. @throws Failure as `ask` does */
export async function addNoteOnce(client: RestClient, incidentId: string, content: string): Promise<void> {
  await writeNote(client, incidentId, { content, isOnce: true })
}

/**
 * Writes a note on an incident.
 * @throws Failure as `ask` does
 */
export async function addNote(client: RestClient, incidentId: string, content: string): Promise<void> {
  await writeNote(client, incidentId, { content, isOnce: false })
}

async function writeNote(
  client: RestClient,
  incidentId: string,
  { content, isOnce }: { content: string; isOnce: boolean },
): Promise<void> {
  const result = await client.call({
    method: 'POST',
    path: `/incidents/${encodeURIComponent(incidentId)}/notes`,
    body: { note: { content } },
    isOnce,
  })
  if (result.kind !== 'answered')
    throw toRestFailure(result, {
      purpose: `write a note on the incident ${incidentId}`,
      scope: 'incidents.write',
    })
}
