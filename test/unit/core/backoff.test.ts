import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delayMs } from '../../../src/core/backoff.ts'

test('the window doubles from 1 s to 60 s, and the wait is anywhere in it', () => {
  const windows = [1, 2, 3, 4, 5, 6, 7, 20].map((attempts) => delayMs(attempts, undefined, 1))
  assert.deepEqual(windows, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  assert.equal(delayMs(5, undefined, 0), 0)
  assert.equal(delayMs(3, undefined, 0.5), 2000)
})

test('what the server asks for is a floor, with a little jitter on top', () => {
  assert.equal(delayMs(1, 30_000, 0), 30_000)
  assert.equal(delayMs(8, 30_000, 1), 31_000)
})
