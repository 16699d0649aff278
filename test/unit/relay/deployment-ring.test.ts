import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../../src/core/event.ts'
import { createDeploymentRing, type SentItem } from '../../../src/relay/deployment-ring.ts'

function event(build: number, outcome = 'success', environment = 'production'): Event {
  const details = { outcome, repository: 'acme/shop', environment, build_id: String(build) }
  const timestamp = new Date(build * 1000).toISOString()
  return { kind: 'change', body: { payload: { summary: 's', timestamp, custom_details: details } } }
}

function sent(sentEvent: Event, told: SentItem['told'], name = 'default'): SentItem {
  return { event: sentEvent, key: { kind: 'configured', name }, told }
}

test('a relay without a spool remembers the last 500 deployments', () => {
  const ring = createDeploymentRing()
  for (let build = 1; build <= 600; build++) ring.record([sent(event(build), 'delivered')], 0)
  const all = ring.list({ limit: 1000 })
  assert.deepEqual([all.length, all[0]?.buildId, all.at(-1)?.buildId], [500, '600', '101'])
  const page = ring.list({ limit: 2, beforeId: all[1]?.id ?? 0 })
  assert.deepEqual(
    page.map(({ buildId }) => buildId),
    ['598', '597'],
  )
})

test('its filters choose as those of the spool do', () => {
  const ring = createDeploymentRing()
  ring.record([sent(event(1, 'failure'), 'dead')], 0)
  ring.record([sent(event(2, 'started', 'staging'), 'delivered')], 0)
  ring.record([sent(event(3), 'delivered')], 0)
  const builds = (query: object): unknown => ring.list({ limit: 9, ...query }).map(({ buildId }) => buildId)
  assert.deepEqual(builds({ outcome: 'failure' }), ['1'])
  assert.deepEqual(builds({ environment: 'staging' }), ['2'])
  assert.deepEqual(builds({ repository: 'acme/other' }), [])
  assert.deepEqual(builds({ sinceMs: 2000 }), ['3', '2'])
  assert.deepEqual(builds({ text: 'STAG' }), ['2'])
  assert.deepEqual(builds({ text: 'success' }), [])
  assert.deepEqual(builds({ identity: 'deploy/acme/shop/staging' }), ['2'])
  ring.record([sent(event(4, 'failure'), 'delivered')], 0)
  ring.record([sent(event(5, 'failure'), 'delivered')], 0)
  ring.record([sent(event(6, 'cancelled'), 'delivered')], 0)
  assert.deepEqual(builds({ isCurrent: true }), ['5', '3', '2'])
  assert.deepEqual(ring.endedSince(0).length, 5)
})

test('a caller that sends an event again makes no second deployment of it', () => {
  const ring = createDeploymentRing()
  ring.record([sent(event(1), 'dead')], 0)
  ring.record([sent(event(1), 'delivered')], 0)
  assert.deepEqual(
    ring.list({ limit: 9 }).map(({ told }) => told),
    ['delivered'],
  )
})

test('a deployment counts as delivered only when every event has arrived with every key, and sending one again corrects that', () => {
  const ring = createDeploymentRing()
  const resolve: Event = { kind: 'alert', body: { event_action: 'resolve', dedup_key: 'd' } }
  const told = (): unknown => ring.list({ limit: 9 }).map((entry) => entry.told)
  ring.record(
    [sent(event(1), 'dead', 'one'), sent(event(1), 'delivered', 'two'), sent(resolve, 'delivered', 'two')],
    0,
  )
  assert.deepEqual(told(), ['dead'])
  ring.record([sent(event(1), 'delivered', 'one'), sent(resolve, 'dead', 'one')], 0)
  assert.deepEqual(told(), ['dead'], 'the resolve belongs to the deployment')
  ring.record([sent(event(1), 'delivered', 'one'), sent(resolve, 'delivered', 'one')], 0)
  assert.deepEqual(told(), ['delivered'])
})
