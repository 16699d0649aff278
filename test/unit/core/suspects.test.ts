import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../../../src/core/deployment.ts'
import { noteAboutSuspects, suspectOf } from '../../../src/core/suspects.ts'

const T0 = Date.parse('2026-03-01T12:00:00Z')
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DEPLOYMENT: Deployment = {
  identity: 'deploy/acme/shop/production',
  state: 'success',
  repository: 'acme/shop',
  environment: 'production',
  commit: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  committer: 'Jane Doe',
  message: 'Fix the checkout',
  buildUrl: 'https://ci.example/42',
  compareUrl: 'https://github.com/acme/shop/compare/a...b',
  startedAtMs: T0 - 2 * MINUTE_MS,
  endedAtMs: T0,
}

const CLOCKS: [string, Deployment, number | undefined, number][] = [
  ['by its own times if it was known before', DEPLOYMENT, undefined, T0],
  ['by its own times if it is reported at once', DEPLOYMENT, T0 + 20_000, T0],
  [
    'shortly before the relay learned of it if the runner’s clock is an hour behind',
    DEPLOYMENT,
    T0 + HOUR_MS,
    T0 + HOUR_MS - 15_000,
  ],
  [
    'shortly before the relay learned of it if the runner’s clock is an hour ahead',
    DEPLOYMENT,
    T0 - HOUR_MS,
    T0 - HOUR_MS - 15_000,
  ],
  ['by its own times if it is reported hours later', DEPLOYMENT, T0 + 5 * HOUR_MS, T0],
]
for (const [what, deployment, knownAtMs, endMs] of CLOCKS) {
  test(`a deployment was ${what}`, () => {
    const { startedAtMs, untilMs } = suspectOf(deployment, knownAtMs, 30 * MINUTE_MS)
    assert.deepEqual([startedAtMs, untilMs], [endMs - 2 * MINUTE_MS, endMs + 30 * MINUTE_MS])
  })
}

test('a note says what, who, when, the links, and what to go back to', () => {
  const lastGood = { ...DEPLOYMENT, commit: '9a8b7c6d5e4f', message: 'Charge once', endedAtMs: T0 - HOUR_MS }
  assert.equal(
    noteAboutSuspects([{ deployment: DEPLOYMENT, lastGood }]),
    `This incident opened soon after a deployment, which may have caused it.

Deployed acme/shop@5f0c1d2 to production by Jane Doe: Fix the checkout
The deployment ended at 2026-03-01T12:00:00.000Z.
Build: https://ci.example/42
Changes: https://github.com/acme/shop/compare/a...b
Last success before it: Deployed acme/shop@9a8b7c6 to production by Jane Doe: Charge once (2026-03-01T11:00:00.000Z)`,
  )
})

test('a note names five deployments at most', () => {
  const many = Array.from({ length: 7 }, () => ({ deployment: DEPLOYMENT }))
  assert.equal(noteAboutSuspects(many).split('Deployed').length - 1, 5)
})
