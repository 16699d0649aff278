import type { RestClient } from './client.ts'
import { ask } from './query.ts'
import { ALERTS_ANSWER, INCIDENTS_ANSWER, type Incident } from './resources.ts'

/**
 * The incidents of a service that have an alert with a dedup key, the newest 25 first, whatever their status. PagerDuty's
 * filter `incident_key` matches the keys of an incident's alerts; a blank one would match every incident.
 * @throws Failure as `ask` does
 */
export async function listIncidentsOfAlert(
  client: RestClient,
  { serviceId, dedupKey }: { serviceId: string; dedupKey: string },
): Promise<readonly Incident[]> {
  const { incidents } = await ask(client, {
    purpose: 'find the alert’s incident',
    scope: 'incidents.read',
    call: {
      method: 'GET',
      path: '/incidents',
      query: [
        ['service_ids[]', serviceId],
        ['incident_key', dedupKey],
        ['date_range', 'all'],
        ['sort_by', 'created_at:desc'],
        ['limit', '25'],
      ],
    },
    answer: INCIDENTS_ANSWER,
  })
  return incidents
}

/**
 * Whether an incident still has an open alert with a dedup key. With alert grouping, the incident can be open for its other
 * alerts.
 * @throws Failure as `ask` does
 */
export async function hasOpenAlert(
  client: RestClient,
  { incidentId, dedupKey }: { incidentId: string; dedupKey: string },
): Promise<boolean> {
  const { alerts } = await ask(client, {
    purpose: 'read the incident’s alerts',
    scope: 'incidents.read',
    call: {
      method: 'GET',
      path: `/incidents/${encodeURIComponent(incidentId)}/alerts`,
      query: [
        ['alert_key', dedupKey],
        ['limit', '100'],
      ],
    },
    answer: ALERTS_ANSWER,
  })
  return alerts.some(({ status, alert_key: key }) => status !== 'resolved' && (key ?? dedupKey) === dedupKey)
}
