import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headlineOf, type HeadlineFacts } from '../../../src/relay/headline.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
type Counts = NonNullable<HeadlineFacts['counts']>
const counts = (pending: number, dead: number): Counts => ({ pending, dead, delivered: 9 })

for (const [facts, state, text, sinceMs] of [
  [{ counts: counts(0, 0) }, 'ok', 'PagerDuty has every event', undefined],
  [
    { counts: counts(1, 0), oldestPending: { acceptedAtMs: NOW - 4000 } },
    'ok',
    'PagerDuty has every event', // it is only being sent
    undefined,
  ],
  [
    { counts: counts(1, 0), oldestPending: { acceptedAtMs: NOW - 6000 } },
    'waiting',
    '1 event waits: not tried yet',
    NOW - 6000,
  ],
  [
    { counts: counts(1200, 0), oldestPending: { acceptedAtMs: NOW - 1, reason: '429: Too many requests' } },
    'waiting',
    '1,200 events wait: 429: Too many requests',
    NOW - 1,
  ],
  [
    { counts: counts(0, 1), oldestDead: { settledAtMs: NOW - 60_000 } },
    'dead',
    '1 event is dead: retry or discard it',
    NOW - 60_000,
  ],
  [
    { counts: counts(1, 2), oldestPending: { acceptedAtMs: NOW - 9000 } },
    'dead',
    '2 events are dead: retry or discard them, and 1 more waits',
    undefined,
  ],
  [
    { counts: counts(3, 2), oldestPending: { acceptedAtMs: NOW - 9000 } },
    'dead',
    '2 events are dead: retry or discard them, and 3 more wait',
    undefined,
  ],
  [
    { counts: counts(0, 2), notReady: 'the disk is full' },
    'unavailable',
    'No event can be accepted: the disk is full',
    undefined,
  ],
  [{}, 'ok', 'This relay keeps no events: every caller gets PagerDuty’s own answer', undefined],
] as const)
  test(`the sentence on top: ${text}${sinceMs === undefined ? '' : `, since ${NOW - sinceMs} ms`}`, () => {
    assert.deepEqual(headlineOf({ ...facts, nowMs: NOW }), {
      state,
      text,
      ...(sinceMs !== undefined && { sinceMs }),
    })
  })
