import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage, startBrowser } from '../../support/browser.ts'
import { createFleetRelays, metricsOf } from '../../support/fleet-relays.ts'
import { emptyFleet, startFleetCluster } from '../../support/fleet.ts'
import { NEEDS_POSTGRES } from '../../support/postgres.ts'
import { alertBody, post } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { until } from '../../support/until.ts'

interface Listed {
  readonly id: number
  readonly origin?: string
  readonly owner?: string
}

test(
  'the page of one relay shows what another of its fleet accepted, and who delivers it',
  { skip: skipWithout('chromium', ...NEEDS_POSTGRES) },
  async (t) => {
    const cluster = await startFleetCluster()
    t.after(() => cluster.close())
    await emptyFleet(cluster)
    const fleet = await createFleetRelays(cluster)
    t.after(() => fleet.close())
    const relays = await Promise.all(['one', 'other'].map((name) => fleet.start(name)))
    const [one, other] = relays
    if (one === undefined || other === undefined) throw new Error('two relays')
    for (const relay of relays)
      await until(async () => (await metricsOf(relay))['fleet_engine_up'] === 1, 'it has joined')
    const browser = await startBrowser()
    t.after(() => browser.close())
    const { page, troubles } = await openPage(browser, `${other.url}/#deliveries`)
    await page.getByText('Live', { exact: true }).waitFor()

    const busy = { kind: 'answer', status: 429, headers: { 'retry-after': '600' }, body: 'Busy' } as const
    fleet.simulator.behave({ behaviour: busy })
    const answer = await post(`${one.url}/v2/enqueue`, alertBody({ dedup_key: 'shared' }))
    assert.equal(answer.status, 202) // into the fleet, or into the spool if the database is slow, which forwards it
    const read = async (): Promise<Listed | undefined> => {
      const { events } = (await (await fetch(`${other.url}/events?status=pending`)).json()) as {
        events: Listed[]
      }
      return events[0]
    }
    await until(async () => (await read())?.owner !== undefined, 'a relay owns its key')
    const { origin, owner } = (await read()) ?? assert.fail('it is gone')
    await page.getByRole('link', { name: 'Disk is full' }).click()
    await page.getByText(`by relay ${origin}`).waitFor()
    await page.getByText(`relay ${owner}`, { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Relay' }).click()
    await page.getByText('Keys owned').waitFor()
    assert.deepEqual(troubles, [])

    fleet.simulator.reset()
    await page.getByText('1 event waits').waitFor()
  },
)
