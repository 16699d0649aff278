import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeRuns } from '../../../bench/merge-runs.ts'

test('rounds are joined, and other numbers are medians', () => {
  const runs = [
    { times: [1, 2], peakMb: 40 },
    { times: [3], peakMb: 60 },
    { times: [4], peakMb: 50 },
  ]
  assert.deepEqual(mergeRuns(runs), { times: [1, 2, 3, 4], peakMb: 50 })
})

test('what belongs together has the same name or size, whatever its place', () => {
  const runs = [
    { costs: [{ name: 'a', times: [1] }], points: [{ size: 10, cost: 5 }] },
    {
      costs: [
        { name: 'b', times: [7] },
        { name: 'a', times: [2] },
      ],
      points: [
        { size: 10, cost: 7 },
        { size: 100, cost: 70 },
      ],
    },
  ]
  assert.deepEqual(mergeRuns(runs), {
    costs: [
      { name: 'a', times: [1, 2] },
      { name: 'b', times: [7] },
    ],
    points: [
      { size: 10, cost: 7 },
      { size: 100, cost: 70 },
    ],
  })
})

test('what one run lacks comes from the others, and texts and dates from the first', () => {
  const date = new Date(0)
  const runs = [
    { date, text: 'one', missing: ['jq'], found: undefined },
    { date: new Date(1), text: 'two', missing: ['jq', 'zstd'], found: { rate: 3 } },
  ]
  assert.deepEqual(mergeRuns<unknown>(runs), {
    date,
    text: 'one',
    missing: ['jq', 'zstd'],
    found: { rate: 3 },
  })
})

test('one run stays as it is', () => {
  const run = { rates: [3, 1], isFar: true, list: [{ title: 'x', facts: [] }], nothing: undefined }
  assert.deepEqual(mergeRuns([run]), run)
})
