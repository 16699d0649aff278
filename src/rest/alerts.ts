import type { RestClient } from './client.ts'
import { ask } from './query.ts'
import { ALERTS_ANSWER } from './resources.ts'

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
