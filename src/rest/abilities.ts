import type { RestClient } from './client.ts'
import { ask } from './query.ts'
import { ABILITIES_ANSWER } from './resources.ts'

/**
 * The abilities of the account that name AIOps, the add-on that makes PagerDuty show change events (support.pagerduty.com,
 * "Recent Changes"). No document says what the ability is called.
 * @throws Failure as `ask` does
 */
export async function listAddOns(client: RestClient): Promise<readonly string[]> {
  const { abilities } = await ask(client, {
    purpose: 'list the account’s abilities',
    scope: 'abilities.read',
    call: { method: 'GET', path: '/abilities' },
    answer: ABILITIES_ANSWER,
  })
  return abilities.filter((ability) => /intelligen|aiops|change_event/i.test(ability))
}
