import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReservedIds, leastIdAt } from '../../../src/fleet/reserved-ids.ts'

test('ids are handed out once each, in order, from blocks that are reserved ahead', async () => {
  let next = 100
  const ids = createReservedIds((count) => {
    next += count
    return Promise.resolve(next - count)
  })
  assert.equal(ids.take(1), undefined)
  await ids.refill()
  const taken: number[] = []
  for (let round = 0; round < 10_000; round++) {
    taken.push(...(ids.take(3) ?? []))
    await ids.refill()
  }
  assert.equal(taken.length, 30_000)
  assert.equal(new Set(taken).size, 30_000)
  assert.deepEqual(
    taken,
    taken.toSorted((a, b) => a - b),
  )
})

test('without a disk there are no ids', async () => {
  const ids = createReservedIds(() => Promise.resolve(undefined))
  await ids.refill()
  assert.equal(ids.take(1), undefined)
})

test('copies of a spool get other ids, even if their relays start at the same moment', () => {
  const starts = Array.from({ length: 10 }, () => leastIdAt(1_800_000_000_000))
  assert.ok(new Set(starts).size > 1)
  assert.ok(starts.every((id) => Number.isSafeInteger(id) && id >= 1_800_000_000_000))
  assert.ok(leastIdAt(1_800_000_001_000) > Math.max(...starts))
})
