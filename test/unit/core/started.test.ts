import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventInput, type EventInput } from '../../../src/core/build-event.ts'
import { deploymentOf } from '../../../src/core/deployment.ts'
import type { EventFields } from '../../../src/core/build-event.ts'
import type { Build } from '../../../src/core/build.ts'
import { identify } from '../../../src/core/identity.ts'
import { buildStarted, overdueAlert } from '../../../src/core/started.ts'

const NOW = '2026-03-01T12:00:00.000Z'
const BUILD: Build = {
  ci: 'Codeship',
  repository: 'acme/shop',
  commit: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  buildId: '42',
  origins: {},
}

function input(fields: EventFields = {}, build: Build = BUILD): EventInput {
  const environment = { value: 'production', origin: '--environment' }
  const choices = { environment }
  return eventInput({ fields, choices, build, identity: identify(choices, build, 'host'), nowIso: NOW })
}

const MINUTE = 60_000

test('a start is a record of a running deployment, under the key of its failure alert', () => {
  const started = buildStarted(input())
  assert.equal(started.body.dedup_key, 'deploy/acme/shop/production')
  assert.deepEqual(deploymentOf(started, 0), {
    identity: 'deploy/acme/shop/production',
    state: 'started',
    repository: 'acme/shop',
    environment: 'production',
    commit: BUILD.commit,
    ci: 'Codeship',
    buildId: '42',
    startedAtMs: Date.parse(NOW),
  })
})

for (const [elapsedMs, silentMs, says] of [
  [31 * MINUTE, 31 * MINUTE, 'began 31 minutes ago (build 42) and never ended'],
  [1000, 1000, 'began 1 second ago (build 42) and never ended'],
  [119_000, 119_000, 'began 119 seconds ago (build 42) and never ended'],
  [125 * MINUTE, 125 * MINUTE, 'began 2 hours 5 minutes ago (build 42) and never ended'],
  [180 * MINUTE, 180 * MINUTE, 'began 3 hours ago (build 42) and never ended'],
  [
    50 * MINUTE,
    31 * MINUTE,
    'began 50 minutes ago (build 42), was last heard from 31 minutes ago and never ended',
  ],
] as const) {
  test(`an overdue deployment ${says}`, () => {
    const nowIso = '2026-03-01T12:31:00.000Z'
    const alert = overdueAlert(buildStarted(input()), { elapsedMs, silentMs, nowIso })
    assert.equal(alert.body.payload?.summary, `Deployment of acme/shop@5f0c1d2 to production ${says}`)
    const record = deploymentOf(alert, 0)
    assert.deepEqual(
      [record?.state, record?.isOverdue, record?.endedAtMs],
      ['failure', true, Date.parse(nowIso)],
    )
  })
}

test('a summary of the user’s own is told with what happened', () => {
  const started = buildStarted(input({ summary: 'Shop, {{shortCommit}}' }))
  const alert = overdueAlert(started, { elapsedMs: 31 * MINUTE, silentMs: 31 * MINUTE, nowIso: NOW })
  assert.equal(alert.body.payload?.summary, 'Shop, 5f0c1d2 began 31 minutes ago (build 42) and never ended')
})

test('a long summary stays within PagerDuty’s limit', () => {
  const started = buildStarted(input({ summary: 'x'.repeat(3000) }))
  const alert = overdueAlert(started, { elapsedMs: MINUTE, silentMs: MINUTE, nowIso: NOW })
  assert.ok((alert.body.payload?.summary.length ?? 9999) <= 1024)
})

test('a start that no outcome could be told to belong to is refused', () => {
  assert.throws(() => buildStarted(input({}, { origins: {} })), /set --dedup-key/)
})
