import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { test } from 'node:test'
import { shareFleetRelays } from '../../support/fleet-relays.ts'
import { alertBody, post } from '../../support/relay.ts'
import { until } from '../../support/until.ts'

const { skip, fleet } = await shareFleetRelays()

test('relays on copies of one spool lose none of each other’s events', { skip }, async () => {
  if (fleet === undefined) return
  const { simulator, environment, start } = fleet
  const send = async (url: string, dedupKey: string): Promise<string | null> => {
    const answer = await post(`${url}/v2/enqueue`, alertBody({ dedup_key: dedupKey }))
    await answer.body?.cancel()
    return answer.headers.get('x-accepted-by')
  }
  const first = await start('one')
  await until(async () => (await send(first.url, 'first')) === 'fleet', 'it uses the fleet')
  assert.equal((await first.stop()).code, 0)
  const spoolOf = (name: string): string => environment(name)['PAGERDUTY_SPOOL'] ?? ''
  cpSync(spoolOf('one'), spoolOf('other'), { recursive: true })
  const relays = await Promise.all([start('one'), start('other')])
  for (const [index, { url }] of relays.entries())
    await until(async () => (await send(url, `warm-${index}`)) === 'fleet', 'it uses the fleet')
  const sent = relays.flatMap(({ url }, index) =>
    Array.from({ length: 10 }, async (_, number) => {
      const dedupKey = `relay-${index}-${number}`
      await send(url, dedupKey)
      return dedupKey
    }),
  )
  const expected = await Promise.all(sent)
  const got = (): Set<unknown> =>
    new Set(simulator.requests.map(({ json }) => (json as { dedup_key: string }).dedup_key))
  await until(() => expected.every((dedupKey) => got().has(dedupKey)), 'all are delivered')
})
