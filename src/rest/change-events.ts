import { ask } from './query.ts'
import type { RestClient } from './client.ts'
import { CHANGE_EVENTS_ANSWER, type ChangeEntry } from './resources.ts'

/**
 * The change events of a service in a span of time, the newest 100.
 * @param span ISO 8601 with `Z`: PagerDuty answers 400 to any other zone
 * @throws Failure as `ask` does
 */
export async function listChangeEvents(
  client: RestClient,
  serviceId: string,
  { since, until }: { since: string; until: string },
): Promise<ChangeEntry[]> {
  const { change_events: entries } = await ask(client, {
    purpose: 'list the service’s change events',
    scope: 'services.read',
    call: {
      method: 'GET',
      path: `/services/${serviceId}/change_events`,
      query: [
        ['since', since],
        ['until', until],
        ['limit', '100'],
      ],
    },
    answer: CHANGE_EVENTS_ANSWER,
  })
  return entries
}
