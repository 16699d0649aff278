import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '../../../src/core/outcome.ts'
import { parseRoutingKeys } from '../../../src/core/routing-key.ts'
import { createSecret } from '../../../src/core/secret.ts'
import { createResolver } from '../../../src/spool/worker/destinations.ts'
import type { SpoolKey } from '../../../src/spool/spool.ts'
import { until } from '../../support/until.ts'
import { ACCEPTED, quickClock, startTestWorker } from '../../support/worker.ts'
import { KEY } from '../../support/program.ts'
import { alertItem, changeItem, DEFAULT_KEY, openTestSpool } from '../../support/spool.ts'

const DOWN: Outcome = { kind: 'retry', status: 503, reason: '503: down' }
const isIdle = (counts: { pending: number }): boolean => counts.pending === 0
const SECRET = createSecret(KEY)
const WRITTEN_OUT: SpoolKey = { kind: 'own', key: SECRET }
const ALIAS: SpoolKey = { kind: 'configured', name: 'web' }
const EVENTS = { eventsUrl: 'http://pagerduty.test' }
const CONFIGURED = createResolver({ ...EVENTS, keys: parseRoutingKeys(`web=${KEY}`) })
const LOOKED_UP = createResolver({ ...EVENTS, keys: [] }, async () => {
  await new Promise((resolve) => setTimeout(resolve, 50))
  return { alias: 'PINT', key: SECRET, isLookedUp: true }
})

const NAMES: readonly [name: string, keys: readonly SpoolKey[], resolve: typeof CONFIGURED][] = [
  ['written out and by its alias', [WRITTEN_OUT, ALIAS], CONFIGURED],
  ['by its alias and as the first', [ALIAS, DEFAULT_KEY], CONFIGURED],
  ['in three ways', [DEFAULT_KEY, WRITTEN_OUT, ALIAS], CONFIGURED],
  ['written out and looked up', [WRITTEN_OUT, DEFAULT_KEY], LOOKED_UP],
]
for (const [name, keys, resolve] of NAMES) {
  test(`a resolve does not overtake its trigger if the key is named ${name}`, async (t) => {
    const { spool } = await openTestSpool(t)
    let failures = 3
    const answer = ({ what }: { what: string }): Outcome =>
      what.startsWith('trigger') && failures-- > 0 ? DOWN : ACCEPTED
    const clock = { ...quickClock(), random: () => 0.05 }
    const { seen } = startTestWorker(t, { spool, answer, resolve, clock })
    const actions = ['trigger', 'acknowledge', 'resolve'] as const
    const items = actions.map((action, index) => alertItem(action, 'a', keys[index % keys.length]))
    for (const item of items) await spool.add([item])
    await until(() => isIdle(spool.counts()), 'all is delivered')
    assert.deepEqual(
      seen.map(({ what }) => what),
      ['trigger a', 'trigger a', 'trigger a', 'trigger a', 'acknowledge a', 'resolve a'],
    )
    assert.ok(seen.every(({ key }) => key === KEY))
  })

  test(`a key has one rate limit, and its alerts go first, if it is named ${name}`, async (t) => {
    const { spool } = await openTestSpool(t)
    await spool.add(Array.from({ length: 40 }, (_, n) => changeItem(`${n}`, keys[n % keys.length])))
    await spool.add(keys.map((key, n) => alertItem('trigger', `${n}`, key)))
    const { seen } = startTestWorker(t, { spool, resolve, ratePerMinute: 20 })
    await until(() => spool.counts().delivered === 20, 'the rate is used up')
    await spool.add(keys.map((key, n) => alertItem('trigger', `late ${n}`, key)))
    await new Promise((done) => setTimeout(done, 300))
    assert.equal(seen.length, 20)
    if (resolve === CONFIGURED)
      assert.ok(seen.slice(0, keys.length).every(({ what }) => what.startsWith('trigger')))
  })
}

test('a hundred alerts that wait for as many under another name are all delivered, in order', async (t) => {
  const { spool } = await openTestSpool(t)
  const alerts = Array.from({ length: 100 }, (_, n) => `${n}`)
  await spool.add(alerts.map((alert) => alertItem('trigger', alert, ALIAS)))
  await spool.add(alerts.map((alert) => alertItem('resolve', alert, WRITTEN_OUT)))
  await spool.add([alertItem('trigger', 'other', WRITTEN_OUT)])
  const { seen } = startTestWorker(t, { spool, resolve: CONFIGURED })
  await until(() => isIdle(spool.counts()), 'all is delivered')
  for (const alert of alerts) {
    const actions = seen.map(({ what }) => what).filter((what) => what.endsWith(` ${alert}`))
    assert.deepEqual(actions, [`trigger ${alert}`, `resolve ${alert}`])
  }
})
