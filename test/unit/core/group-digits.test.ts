import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupDigits } from '../../../src/core/group-digits.ts'

for (const [number, text] of [
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [12_345, '12,345'],
  [1_234_567, '1,234,567'],
] as const)
  test(`${number} is written ${text}`, () => assert.equal(groupDigits(number), text))
