import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describePost, describeRetry, exitCodeOf, jsonLine, verdictOf } from '../../../src/cli/report.ts'
import { formatMs } from '../../../src/core/duration.ts'
import type { Delivery } from '../../../src/delivery/sender.ts'

const RESOLVE = { kind: 'alert', body: { event_action: 'resolve', dedup_key: 'k' } } as const
const CHANGE = { kind: 'change', body: { payload: { summary: 's' } } } as const
const delivery = (outcome: Delivery['outcome'], event: Delivery['post']['event'] = RESOLVE): Delivery => ({
  post: { event, destination: { baseUrl: 'https://a.example' } },
  outcome,
  attempts: 2,
  durationMs: 15,
  ...(outcome === 'undelivered' ? { reason: 'why' } : { status: outcome === 'accepted' ? 202 : 400 }),
})

test('the verdict is the worst outcome, and each has its exit status', () => {
  const rows: [Delivery['outcome'][], string, number][] = [
    [['accepted', 'accepted'], 'accepted', 0],
    [['accepted', 'undelivered'], 'undelivered', 75],
    [['undelivered', 'refused', 'accepted'], 'refused', 65],
  ]
  for (const [outcomes, verdict, exitCode] of rows) {
    assert.equal(verdictOf(outcomes.map((outcome) => delivery(outcome))), verdict)
    assert.equal(exitCodeOf(verdictOf(outcomes.map((outcome) => delivery(outcome)))), exitCode)
  }
})

test('--json is one line in which what does not apply is absent', () => {
  const line = jsonLine({
    command: 'success',
    outcome: 'undelivered',
    exitCode: 75,
    deliveries: [delivery('accepted', CHANGE), delivery('undelivered')],
  })
  assert.match(line, /^[^\n]+\n$/)
  assert.deepEqual(JSON.parse(line), {
    command: 'success',
    outcome: 'undelivered',
    exit_code: 75,
    events: [
      {
        kind: 'change',
        endpoint: '/v2/change/enqueue',
        outcome: 'accepted',
        status: 202,
        attempts: 2,
        duration_ms: 15,
      },
      {
        kind: 'alert',
        action: 'resolve',
        endpoint: '/v2/enqueue',
        outcome: 'undelivered',
        dedup_key: 'k',
        attempts: 2,
        duration_ms: 15,
        reason: 'why',
      },
    ],
  })
})

test('messages name the event, and the key by its alias', () => {
  const post = { event: RESOLVE, destination: { baseUrl: '' }, alias: 'web' }
  assert.equal(describePost(post), 'resolve of k (key web)')
  assert.equal(describePost({ event: CHANGE, destination: { baseUrl: '' } }), 'change event')
  const retry = { attempt: 2, reason: '503: down', delayMs: 1500, leftMs: 42_000 }
  assert.equal(
    describeRetry(post, retry),
    'resolve of k (key web): attempt 2 failed: 503: down; next try in 1.5 s, 42 s left after it',
  )
})

test('durations are shown in seconds', () => {
  assert.deepEqual([0, 450, 9949, 10_400, 60_000].map(formatMs), ['0 s', '0.5 s', '9.9 s', '10 s', '60 s'])
})
