import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEPLOYMENT_SCHEMA } from '../../../src/relay/deployments-api.ts'
import { describeDeployment, type DeploymentEntry } from '../../../src/spool/deployment-log.ts'
import type { Deployment } from '../../../ui/shapes.d.ts'

const ENTRY: Required<DeploymentEntry> = {
  id: 7,
  identity: 'deploy/acme/shop/production/eu',
  state: 'failure',
  repository: 'acme/shop',
  environment: 'production',
  step: 'eu',
  branch: 'master',
  commit: '0123456789abcdef0123456789abcdef01234567',
  message: 'Charge once',
  committer: 'Jane Doe',
  ci: 'Codeship',
  buildId: '42',
  buildUrl: 'https://ci.example/42',
  commitUrl: 'https://git.example/c',
  compareUrl: 'https://git.example/d',
  rollback: true,
  isOverdue: true,
  startedAtMs: Date.UTC(2026, 2, 1, 12),
  dueAtMs: Date.UTC(2026, 2, 1, 12, 30),
  endedAtMs: Date.UTC(2026, 2, 1, 12, 1),
  eventIds: [1, 2],
  told: 'dead',
}
/** The same as the page reads it; the compiler compares it with the page's own type. */
const SHOWN: Required<Deployment> = {
  id: 7,
  identity: 'deploy/acme/shop/production/eu',
  outcome: 'failure',
  repository: 'acme/shop',
  environment: 'production',
  step: 'eu',
  branch: 'master',
  commit: '0123456789abcdef0123456789abcdef01234567',
  message: 'Charge once',
  committer: 'Jane Doe',
  ci: 'Codeship',
  build_id: '42',
  build_url: 'https://ci.example/42',
  commit_url: 'https://git.example/c',
  compare_url: 'https://git.example/d',
  rollback: true,
  overdue: true,
  started_at: '2026-03-01T12:00:00.000Z',
  due_at: '2026-03-01T12:30:00.000Z',
  ended_at: '2026-03-01T12:01:00.000Z',
  duration_seconds: 60,
  event_ids: [1, 2],
  told: 'dead',
}

test('a deployment has the same members in the relay’s answer, in the page and in the OpenAPI document', () => {
  const described = describeDeployment(ENTRY)
  assert.deepEqual(described, SHOWN)
  const { properties } = DEPLOYMENT_SCHEMA
  assert.deepEqual(Object.keys(properties).toSorted(), Object.keys(described).toSorted())
})
