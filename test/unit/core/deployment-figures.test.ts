import type { DeploymentState } from '../../../src/core/deployment-state.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deploymentFigures } from '../../../src/core/deployment-figures.ts'
import type { Deployment } from '../../../src/core/deployment.ts'

const MINUTE = 60_000
const DAY = 1440 * MINUTE

function deployment(state: DeploymentState, endedAtMs: number, more: Partial<Deployment> = {}): Deployment {
  return { identity: 'deploy/acme/shop', state, endedAtMs, ...more }
}

function figures(deployments: readonly Deployment[], spanMs = DAY): Record<string, number | undefined> {
  return Object.fromEntries(deploymentFigures(deployments, spanMs).map(({ name, value }) => [name, value]))
}

test('without deployments there are no figures, and no division by zero', () => {
  assert.deepEqual(figures([]), {
    frequency: 0,
    duration: undefined,
    failure_share: undefined,
    recovery_time: undefined,
  })
  assert.equal(figures([], 0)['frequency'], undefined)
})

test('frequency counts successes a day, and the share sets failures beside them', () => {
  const { frequency, failure_share: share } = figures(
    [
      deployment('success', 1),
      deployment('success', 2),
      deployment('failure', 3),
      deployment('cancelled', 4),
    ],
    2 * DAY,
  )
  assert.equal(frequency, 1)
  assert.equal(share, 1 / 3)
})

test('the duration is the median of successes whose start is known', () => {
  const took = (minutes: number): Deployment =>
    deployment('success', 100 * MINUTE, { startedAtMs: (100 - minutes) * MINUTE })
  assert.equal(figures([took(9), took(1), took(3)])['duration'], 180)
  assert.equal(
    figures([took(1), took(3), deployment('success', 1), deployment('failure', 1)])['duration'],
    120,
  )
})

test('recovery counts from the first failure to the next success of the same thing', () => {
  const other = { identity: 'deploy/acme/other' }
  const { recovery_time: recovery } = figures([
    deployment('success', 50 * MINUTE),
    deployment('failure', 10 * MINUTE),
    deployment('failure', 20 * MINUTE),
    deployment('success', 12 * MINUTE, other),
    deployment('failure', 60 * MINUTE),
    deployment('failure', 5 * MINUTE, other),
    { identity: 'deploy/acme/shop', state: 'started', startedAtMs: 1 },
  ])
  assert.equal(recovery, ((40 + 7) / 2) * 60)
})

test('a start that a clock puts after the end took no time, and order decides at the same time', () => {
  assert.equal(figures([deployment('success', MINUTE, { startedAtMs: 9 * MINUTE })])['duration'], 0)
  const [failed, recovered] = [deployment('failure', MINUTE), deployment('success', MINUTE)]
  assert.equal(figures([failed, recovered])['recovery_time'], 0)
  assert.equal(figures([recovered, failed])['recovery_time'], undefined)
})

test('every figure says what it counts, and from how many', () => {
  for (const { definition, count } of deploymentFigures([deployment('success', 1)], DAY)) {
    assert.ok(definition.length > 20)
    assert.ok(count >= 0)
  }
})
