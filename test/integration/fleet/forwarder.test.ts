import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLOCK } from '../../../src/delivery/real-clock.ts'
import type { FleetItem } from '../../../src/fleet/fleet-items.ts'
import { startForwarder } from '../../../src/fleet/forwarder.ts'
import { AT_ONCE } from '../../../src/fleet/write-through.ts'
import type { SpoolItem } from '../../../src/spool/spool.ts'
import { alertItem, changeItem, DEFAULT_KEY, openTestSpool } from '../../support/spool.ts'
import { until } from '../../support/until.ts'

/** A success, and the resolve that comes with it. */
function deployed(build: number): SpoolItem[] {
  const details = {
    outcome: 'success',
    repository: 'acme/shop',
    environment: 'production',
    build_id: String(build),
  }
  const payload = {
    summary: `build ${build}`,
    source: 'acme/shop',
    timestamp: '2026-01-31T12:00:00Z',
    custom_details: details,
  }
  return [
    { event: { kind: 'change', body: { payload } }, key: DEFAULT_KEY },
    alertItem('resolve', 'deploy/acme/shop/production'),
  ]
}

/** Names of what was moved, by statement: the same letter for what belongs together. */
function groupsOf(statements: readonly (readonly FleetItem[])[]): string[] {
  return statements.map((items) => {
    const requests = [...new Set(items.flatMap(({ request }) => request ?? []))]
    return items.map(({ request }) => (request === undefined ? '-' : requests.indexOf(request))).join('')
  })
}

test('a success and its resolve stay together on the way to the fleet', async (t) => {
  const { spool } = await openTestSpool(t)
  for (const items of [deployed(1), [changeItem('other')], deployed(2)]) await spool.add(items)
  // Fills a statement up to the middle of a deployment.
  await spool.add(Array.from({ length: AT_ONCE - 6 }, (_, index) => changeItem(`${index}`)))
  for (const build of [3, 4]) await spool.add(deployed(build))
  const statements: (readonly FleetItem[])[] = []
  const forwarder = startForwarder({
    spool,
    writeThrough: {
      add: () => Promise.reject(new Error('nothing is added')),
      fallBack: () => undefined,
      hold: () => Promise.resolve(),
      open: () => undefined,
      mode: () => 'fleet',
    },
    clock: CLOCK,
    keys: 'all',
    addToFleet: (items) => {
      statements.push(items)
      return Promise.resolve(items.map((_, index) => index + 1))
    },
    canonical: (key) => key,
    mayForward: () => true,
    onTried: () => undefined,
    onForwarded: () => undefined,
  })
  t.after(() => forwarder.stop())
  await until(() => spool.counts().pending === 0, 'all are moved')
  assert.deepEqual(groupsOf(statements), [`00-11${'-'.repeat(AT_ONCE - 6)}`, '0011'])
})
