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
  const notUnderstood = [
    '',
    '30',
    'd',
    '1y',
    '-1d',
    'yesterday',
    '2026-99-99',
    '9999999d',
    '2026-02-30',
    '2026-03-01junk',
  ]
  for (const text of notUnderstood) assert.equal(parseSince(text, NOW_MS), undefined, text)
})

test('a time without a zone is UTC on every machine', () => {
  const zone = process.env['TZ']
  process.env['TZ'] = 'America/New_York'
  try {
    for (const text of ['2026-03-31T12:00:00', '2026-03-31 12:00', '2026-03-31T08:00:00-04:00'])
      assert.equal(parseSince(text, 0), NOW_MS, text)
    assert.equal(parseSince('2026-03-31', 0), NOW_MS - DAY_MS / 2)
  } finally {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  }
})
