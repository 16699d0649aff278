import assert from 'node:assert/strict'
import { test } from 'node:test'
import { growthExponent, median, medianRatio, percentile } from '../../../bench/statistics.ts'

test('the median is the middle value, whatever the order', () => {
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([4, 1, 3, 2]), 3)
  assert.ok(Number.isNaN(median([])))
})

test('a percentile leaves its part of the values below it', () => {
  const values = Array.from({ length: 1000 }, (_, index) => index)
  assert.equal(percentile(values, 0.99), 990)
  assert.equal(percentile([7], 0.99), 7)
})

test('a ratio compares within rounds, so that a slow phase of the machine does not move it', () => {
  const floor = [10, 10, 100, 100, 100]
  assert.equal(
    medianRatio(
      floor.map((ms) => ms * 2),
      floor,
    ),
    2,
  )
  assert.equal(medianRatio([20, 20, 20], [10, 10]), 2)
})

test('the exponent of growth is the power of the size, and a fixed cost does not hide it', () => {
  const sizes = [1, 10, 100, 1000, 10_000, 100_000]
  const exponentOf = (cost: (size: number) => number): number =>
    growthExponent(sizes.map((size) => ({ size, cost: cost(size) })))
  for (const [power, cost] of [
    [0, () => 7],
    [1, (size: number) => 3 * size],
    [2, (size: number) => size ** 2 / 5],
  ] as const)
    assert.ok(Math.abs(exponentOf(cost) - power) < 1e-9, String(power))
  assert.ok(exponentOf((size) => 50 + size) > 0.9)
  assert.ok(Number.isNaN(growthExponent([{ size: 1, cost: 1 }])))
})
