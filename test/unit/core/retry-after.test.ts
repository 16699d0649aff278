import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseReset, parseRetryAfter } from '../../../src/core/retry-after.ts'

const NOW_MS = Date.parse('2026-01-31T12:00:00Z')
const LONGEST_MS = 300_000

const RETRY_AFTER: [string | undefined, number | undefined][] = [
  ['7', 7000],
  [' 0 ', 0],
  ['1.5', 1500],
  ['300', LONGEST_MS],
  ['301', LONGEST_MS],
  ['99999999', LONGEST_MS],
  ['9100000000000', LONGEST_MS],
  ['9'.repeat(21), LONGEST_MS],
  ['9'.repeat(400), LONGEST_MS],
  [String(NOW_MS / 1000 + 20), 20_000],
  [String(NOW_MS + 20_000), 20_000],
  [String(NOW_MS / 1000 - 20), 0],
  ['Sat, 31 Jan 2026 12:00:05 GMT', 5000],
  ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['Mon, 01 Jan 0001 00:00:00 GMT', 0],
  ['Fri, 31 Dec 9999 23:59:59 GMT', LONGEST_MS],
  ['Fri, 31 Dec 275761 23:59:59 GMT', undefined],
  ['Saturday, 31-Jan-26 12:00:05 GMT', 5000],
  ['Sat Jan 31 12:00:05 2026', 5000],
  ['soon', undefined],
  ['-5', undefined],
  ['1e9', undefined],
  ['Infinity', undefined],
  ['7, 7', undefined],
  ['', undefined],
  [undefined, undefined],
]
for (const [header, expectedMs] of RETRY_AFTER) {
  test(`Retry-After "${header?.slice(0, 40)}" (${header?.length} characters) asks for ${expectedMs} ms`, () =>
    assert.equal(parseRetryAfter(header, NOW_MS), expectedMs))
}

const RESET: [string | undefined, number | undefined][] = [
  ['30', 30_000],
  ['0.25', 250],
  [String(NOW_MS / 1000 + 30), 30_000],
  [String(NOW_MS + 30_000), 30_000],
  [String(NOW_MS - 30_000), 0],
  [String((NOW_MS + 30_000) * 1000), LONGEST_MS],
  ['9'.repeat(400), LONGEST_MS],
  ['Sat, 31 Jan 2026 12:00:05 GMT', undefined],
  ['-1', undefined],
  [undefined, undefined],
]
for (const [header, expectedMs] of RESET) {
  test(`ratelimit-reset "${header?.slice(0, 40)}" (${header?.length} characters) asks for ${expectedMs} ms`, () =>
    assert.equal(parseReset(header, NOW_MS), expectedMs))
}
