import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deploymentOf, isSameRun, mergeDeployments, type Deployment } from '../../../src/core/deployment.ts'
import type { Event } from '../../../src/core/event.ts'
import type { JsonObject } from '../../../src/core/json.ts'

const NOW_MS = Date.parse('2026-03-01T12:00:00Z')

function change(details: JsonObject, more: object = {}): Event {
  const payload = { summary: 's', timestamp: '2026-03-01T12:00:00Z', custom_details: details }
  return { kind: 'change', body: { payload, ...more } }
}

const DETAILS: JsonObject = {
  outcome: 'success',
  ci: 'Codeship',
  repository: 'acme/shop',
  environment: 'production',
  branch: 'main',
  commit: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  commit_message: 'Fix the checkout\n\nIt charged twice.',
  committer: 'Jane Doe',
  build_id: 42,
  duration_seconds: 90.5,
}

test('a change event of a deployment is a record of it', () => {
  const links = [
    { href: 'https://ci.example.com/42', text: 'Codeship build' },
    { href: 'https://github.com/acme/shop/commit/5f0c', text: 'Commit 5f0c1d2' },
    { href: 'https://github.com/acme/shop/compare/a...b', text: 'Changes since 1a2b3c4' },
    { href: 'https://runbook.example.com', text: 'Runbook' },
  ]
  assert.deepEqual(deploymentOf(change(DETAILS, { links }), 0), {
    identity: 'deploy/acme/shop/production',
    state: 'success',
    repository: 'acme/shop',
    environment: 'production',
    branch: 'main',
    commit: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
    message: 'Fix the checkout',
    committer: 'Jane Doe',
    ci: 'Codeship',
    buildId: '42',
    buildUrl: 'https://ci.example.com/42',
    commitUrl: 'https://github.com/acme/shop/commit/5f0c',
    compareUrl: 'https://github.com/acme/shop/compare/a...b',
    startedAtMs: NOW_MS - 90_500,
    endedAtMs: NOW_MS,
  })
})

test('a failure under a key of its own belongs to the same identity as a success', () => {
  const { body } = change({ ...DETAILS, outcome: 'failure' })
  const failure: Event = { kind: 'alert', body: { ...body, event_action: 'trigger', dedup_key: 'my-own' } }
  assert.equal(deploymentOf(failure, 0)?.identity, deploymentOf(change(DETAILS), 0)?.identity)
})

test('without a repository the alert’s own key is the identity', () => {
  const { body } = change({ outcome: 'failure', environment: 'eu' })
  const alert: Event = { kind: 'alert', body: { ...body, event_action: 'trigger', dedup_key: 'my-own' } }
  assert.equal(deploymentOf(alert, 0)?.identity, 'my-own')
  assert.equal(deploymentOf(change({ outcome: 'success' }), 0), undefined)
})

test('an event that is not a deployment of ours makes no record', () => {
  const resolve: Event = { kind: 'alert', body: { event_action: 'resolve', dedup_key: 'deploy/acme/shop' } }
  assert.equal(deploymentOf(resolve, 0), undefined)
  for (const details of [
    {},
    { outcome: 'great' },
    { outcome: 1 },
    { firing: '1' },
    { outcome: ['success'] },
  ]) {
    assert.equal(deploymentOf(change({ repository: 'a/b', ...details }), 0), undefined)
  }
  assert.equal(deploymentOf({ kind: 'change', body: { payload: { summary: 's' } } }, 0), undefined)
})

test('a record stays small, whatever the event holds', () => {
  const long = 'x'.repeat(5000)
  const details = { ...DETAILS, commit_message: long, branch: long, committer: long }
  const links = [{ href: `https://ci.example.com/${long}`, text: 'Codeship build' }]
  const record = deploymentOf(change(details, { links }), 0)
  assert.ok(JSON.stringify(record).length < 1500)
  assert.equal(record?.buildUrl, undefined)
  assert.ok(record?.message?.endsWith('…'))
})

test('a reported start wins over a duration, and a running deployment has no end', () => {
  const told = deploymentOf(change({ ...DETAILS, started_at: '2026-03-01T11:00:00Z' }), 0)
  assert.equal(told?.startedAtMs, NOW_MS - 3_600_000)
  const running = deploymentOf(change({ ...DETAILS, outcome: 'started' }), 0)
  assert.deepEqual([running?.startedAtMs, running?.endedAtMs], [NOW_MS, undefined])
})

test('an event without a usable time is of now', () => {
  const { body } = change(DETAILS)
  const payload = { ...body.payload!, timestamp: 'yesterday' }
  assert.equal(deploymentOf({ kind: 'change', body: { payload } }, 7)?.endedAtMs, 7)
})

const RUN: Deployment = { identity: 'deploy/acme/shop', state: 'started', buildId: '1', startedAtMs: 1000 }

const ENDED: Deployment = { ...RUN, state: 'failure', endedAtMs: 2000 }
const { buildId: _, ...UNKNOWN_BUILD } = RUN

const SAME_RUN: readonly (readonly [string, Deployment, Deployment, boolean])[] = [
  ['the outcome of the same build', RUN, { ...ENDED }, true],
  ['the outcome of another build', RUN, { ...ENDED, buildId: '2' }, false],
  ['the outcome of another thing', RUN, { ...ENDED, identity: 'deploy/acme/other' }, false],
  ['an outcome without a build', RUN, { ...UNKNOWN_BUILD, state: 'success', endedAtMs: 9 }, true],
  ['a heartbeat', UNKNOWN_BUILD, UNKNOWN_BUILD, true],
  ['a newer start without a build', UNKNOWN_BUILD, { ...UNKNOWN_BUILD, startedAtMs: 1500 }, false],
  ['the same outcome told twice', ENDED, ENDED, true],
  [
    'the next success without a build',
    { ...UNKNOWN_BUILD, state: 'success', endedAtMs: 2000 },
    { ...UNKNOWN_BUILD, state: 'success', endedAtMs: 3000 },
    false,
  ],
  [
    'a success after the failure of the same build',
    ENDED,
    { ...RUN, state: 'success', endedAtMs: 3000 },
    false,
  ],
  [
    'a failure of the same build that began after the first had ended',
    ENDED,
    { ...ENDED, startedAtMs: 2500, endedAtMs: 3000 },
    false,
  ],
  ['a start that arrives late', ENDED, RUN, true],
  ['the second start of a build that has ended', ENDED, { ...RUN, startedAtMs: 2500 }, false],
  [
    'an outcome after the deadline',
    { ...ENDED, isOverdue: true },
    { ...RUN, state: 'success', endedAtMs: 3000 },
    true,
  ],
]
for (const [what, known, told, isSame] of SAME_RUN) {
  test(`${what} is ${isSame ? 'of the same' : 'of another'} run`, () => {
    assert.equal(isSameRun(known, told), isSame)
  })
}

test('an outcome completes what its start said, in whichever order they come', () => {
  const ended: Deployment = { ...RUN, state: 'failure', startedAtMs: 1500, endedAtMs: 2000, commit: 'c' }
  const expected = { ...RUN, state: 'failure', startedAtMs: 1000, endedAtMs: 2000, commit: 'c' }
  assert.deepEqual(mergeDeployments(RUN, ended), expected)
  assert.deepEqual(mergeDeployments(ended, RUN), expected)
})

test('an outcome after the deadline replaces the failure that was assumed', () => {
  const overdue: Deployment = { ...ENDED, isOverdue: true }
  const passed: Deployment = { ...RUN, state: 'success', endedAtMs: 3000 }
  assert.deepEqual(mergeDeployments(overdue, passed), passed)
})
