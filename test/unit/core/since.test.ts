import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSince } from '../../../src/core/since.ts'

const NOW_MS = Date.parse('2026-03-31T12:00:00Z')
const DAY_MS = 86_400_000

test('how long ago and ISO 8601 times are understood, anything else is not', () => {
  assert.equal(parseSince('30d', NOW_MS), NOW_MS - 30 * DAY_MS)
  assert.equal(parseSince(' 2w ', NOW_MS), NOW_MS - 14 * DAY_MS)
  assert.equal(parseSince('12h', NOW_MS), NOW_MS - DAY_MS / 2)
  assert.equal(parseSince('90m', NOW_MS), NOW_MS - 90 * 60_000)
  assert.equal(parseSince('2026-03-31T12:00:00Z', 0), NOW_MS)
  assert.equal(parseSince('2026-03-31', 0), NOW_MS - DAY_MS / 2)
  for (const text of ['', '30', 'd', '1y', '-1d', 'yesterday', '2026-99-99', '9999999d'])
    assert.equal(parseSince(text, NOW_MS), undefined, text)
})
