import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isIso8601 } from '../../../tools/simulator/iso-8601.ts'

const GOOD = [
  '2015-07-17T08:42:58.315+0000',
  '2015-11-09T20:00:00-05:00',
  '2026-01-02T03:04:05.123456Z',
  '2020-03-25T00:00:00Z',
  '2011-05-06T17:00Z',
  '2011-05-06T03:30-07',
  '2011-05-06',
  '2024-02-29T23:59:60Z',
]
const BAD = [
  '',
  'yesterday',
  '1712345678',
  '2021-10-22 5:01:32',
  '2021-10-22 05:01:32Z',
  '2021-05-31T9:08:07.000Z',
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01',
  '2026-04-31',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:61Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+01:60',
  '2026-01-01T00:00:00',
  '2026-01-01T00:00:00Z\n',
  ' 2026-01-01',
]

for (const text of GOOD) test(`${text} is a timestamp`, () => assert.equal(isIso8601(text), true))
for (const text of BAD)
  test(`${JSON.stringify(text)} is not a timestamp`, () => assert.equal(isIso8601(text), false))
