import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTimestamp } from '../../../src/core/timestamp.ts'

const NOON = '2026-01-31T12:00:00.000Z'

const ACCEPTED: [string, string][] = [
  ['2026-01-31T12:00:00Z', NOON],
  ['2026-01-31t12:00:00z', NOON],
  [' 2026-01-31T12:00Z ', NOON],
  ['2015-07-17T08:42:58.315+0000', '2015-07-17T08:42:58.315Z'],
  ['2015-11-09T20:00:00-05:00', '2015-11-10T01:00:00.000Z'],
  ['2011-05-06T03:30-07', '2011-05-06T10:30:00.000Z'],
  ['2026-01-02T03:04:05.123456Z', '2026-01-02T03:04:05.123Z'],
  ['2026-01-02T03:04:05,5Z', '2026-01-02T03:04:05.500Z'],
  ['2024-02-29T00:00:00+14:00', '2024-02-28T10:00:00.000Z'],
  ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000Z'],
  // Python's str(datetime) and Ruby's Time#to_s, git's %ci, Go's Time.String
  ['2026-01-31 12:00:00.000000+00:00', NOON],
  ['2026-01-31 13:00:00 +0100', NOON],
  ['2026-01-31 12:00:00 UTC', NOON],
  ['2026-01-31 12:00:00.000000123 +0000 UTC', NOON],
  ['2026-01-31 13:00:00.5 +0100 CET m=+0.000012', '2026-01-31T12:00:00.500Z'],
  // Java's ZonedDateTime, and more digits than any clock has
  ['2026-01-31T13:00+01:00[Europe/Berlin]', NOON],
  ['2026-01-31T12:00:00.000000000000Z', NOON],
  // ISO 8601's basic form
  ['20260131T120000Z', NOON],
  ['20260131T130000+0100', NOON],
  // RFC 2822, and HTTP's form of it
  ['Sat, 31 Jan 2026 12:00:00 +0000', NOON],
  ['Sat, 31 Jan 2026 12:00:00 GMT', NOON],
  ['31 Jan 2026 07:00 EST', NOON],
  ['Sat, 31 Jan 2026 13:00:00 +0100 (CET)', NOON],
  // date, and JavaScript's Date
  ['Sat Jan 31 12:00:00 UTC 2026', NOON],
  ['Sat Jan 31 2026 13:00:00 GMT+0100 (Central European Standard Time)', NOON],
  // seconds, milliseconds, microseconds and nanoseconds since the epoch
  ['1712345678', '2024-04-05T19:34:38.000Z'],
  ['1712345678.25', '2024-04-05T19:34:38.250Z'],
  ['1712345678250', '2024-04-05T19:34:38.250Z'],
  ['1712345678250000', '2024-04-05T19:34:38.250Z'],
  ['1712345678250000000', '2024-04-05T19:34:38.250Z'],
  ['0', '1970-01-01T00:00:00.000Z'],
]

for (const [text, expected] of ACCEPTED) {
  test(`${text.trim()} is read as ${expected}`, () => {
    assert.deepEqual(parseTimestamp(text), { iso: expected, hasZone: true })
  })
}

const WITHOUT_ZONE: [string, string][] = [
  ['2026-01-31T12:00:00', NOON], // Ansible's pagerduty_alert module
  ['2026-01-31T12:00:00.123456', '2026-01-31T12:00:00.123Z'], // Python's isoformat()
  ['2026-01-31 12:00:00', NOON],
  ['2026-01-31T12:00', NOON],
  ['20260131T120000', NOON],
  ['20260131120000', NOON], // date +%Y%m%d%H%M%S
  ['20260131120000250', '2026-01-31T12:00:00.250Z'],
  ['202601311200', NOON],
  ['Sat Jan 31 12:00:00 2026', NOON], // C's ctime
]

for (const [text, expected] of WITHOUT_ZONE) {
  test(`${text} has no zone, so it is read as UTC`, () => {
    assert.deepEqual(parseTimestamp(text), { iso: expected, hasZone: false })
  })
}

const REFUSED = [
  '',
  'yesterday',
  '2026-01-31',
  '20260131',
  '2026-01-31T13:00[Europe/Berlin]',
  '2021-10-22 5:01:32',
  '2021-05-31T9:08:07.000Z',
  '2026-02-30T00:00:00Z',
  '2026-02-30T00:00:00',
  '2025-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-31T24:30:00Z',
  '2026-01-31T12:60:00Z',
  '2026-01-31T12:00:61Z',
  '2026-01-31T12:00:00+24:00',
  '2026-01-31T12:00:00+01:99',
  '2026-01-31 12:00:00 CET', // several zones have that name
  'Sat, 31 Foo 2026 12:00:00 +0000',
  'Sat, 32 Jan 2026 12:00:00 +0000',
  '0000-01-01T00:00:00+01:00',
  '9999-12-31T23:59:59-01:00',
  '123456789012345678901',
  '-5',
  'NaN',
  '1e9',
  '{{ .StartsAt }}',
  `2026-01-31T12:00:00Z${' '.repeat(100)}x`,
]

for (const text of REFUSED) {
  test(`"${text.slice(0, 50)}" is refused`, () => assert.equal(parseTimestamp(text), undefined))
}
