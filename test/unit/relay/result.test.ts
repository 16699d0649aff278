import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../../src/core/event.ts'
import type { Deadlines } from '../../../src/spool/deadlines.ts'
import { createDeploymentRing } from '../../../src/relay/deployment-ring.ts'
import { createMetrics } from '../../../src/relay/metrics.ts'
import { decisiveResult, statusOf, type EventResult } from '../../../src/relay/result.ts'

function answered(status: number, kind: Event['kind'] = 'alert'): EventResult {
  return { kind: 'answered', event: { kind, body: {} }, answer: { status, headers: {}, body: '' } }
}

/** What decides, of results with these statuses in this order, and in the other. */
const CASES: readonly (readonly [number, number, number])[] = [
  [202, 400, 400],
  [202, 503, 503],
  [400, 503, 400],
  [400, 429, 400],
  [400, 408, 400],
  [403, 502, 403],
]
for (const [first, second, decisive] of CASES) {
  test(`a caller whose events came to ${first} and ${second} is answered ${decisive}`, () => {
    const [one, other] = [answered(first), answered(second)]
    assert.equal(statusOf(decisiveResult([one, other])), decisive)
    assert.equal(statusOf(decisiveResult([other, one])), decisive)
  })
}

test('if all events are accepted, the answer is that of the alert, which has the dedup key', () => {
  const [change, alert] = [answered(202, 'change'), answered(202)]
  assert.equal(decisiveResult([change, alert]), alert)
  assert.equal(decisiveResult([alert, change]), alert)
})

const NO_DEADLINES: Deadlines = {
  begin: () => Promise.resolve({ kind: 'running' }),
  expire: () => Promise.resolve({ missed: [], nextInMs: undefined }),
  counts: () => ({ open: 0, overdue: 0 }),
}

test('the metrics count each status as delivered, failed or refused, as delivery treats it', async () => {
  const metrics = createMetrics({ deployments: createDeploymentRing(), deadlines: NO_DEADLINES })
  for (const status of [200, 202, 400, 403, 404, 408, 429, 500, 502, 503, 504])
    metrics.settled('alert', status, 1)
  const text = await metrics.expose()
  const counted = ['delivered', 'failed', 'refused'].map(
    (name) =>
      new RegExp(`^pagerduty_alert_events_${name}_total\\{kind="alert"\\} (\\d+)$`, 'm').exec(text)?.[1],
  )
  assert.deepEqual(counted, ['2', '6', '3'])
})
