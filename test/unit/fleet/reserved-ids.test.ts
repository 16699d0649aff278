import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReservedIds } from '../../../src/fleet/reserved-ids.ts'

test('ids are handed out once each, in order, from blocks that are reserved ahead', async () => {
  let next = 100
  const ids = createReservedIds((count) => {
    next += count
    return Promise.resolve(next - count)
  }, 0)
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
  const ids = createReservedIds(() => Promise.resolve(undefined), 0)
  await ids.refill()
  assert.equal(ids.take(1), undefined)
})

test('a process begins at a random distance from where its directory is, and goes on from there', async () => {
  const asked: (readonly [number, number, number])[] = []
  let next = 0
  const ids = createReservedIds((count, least, skip) => {
    asked.push([count, least, skip])
    const first = Math.max(next, least) + skip
    next = first + count
    return Promise.resolve(first)
  }, 1_800_000_000_000)
  while (asked.length < 3) {
    await ids.refill()
    ids.take(1000)
  }
  const [[count, least, skip] = [0, 0, 0], ...later] = asked
  assert.equal(least, 1_800_000_000_000 * 1024)
  assert.ok(skip >= 0 && skip < 2 ** 32)
  assert.ok(Number.isSafeInteger(next))
  assert.deepEqual(later, [
    [count, 0, 0],
    [count, 0, 0],
  ])
})

test('copies of a spool get other ids, even if their relays start at once and behind what the directory has used', async () => {
  const used = 1_800_000_001_000 * 1024
  const starts = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const reserve = (_count: number, least: number, skip: number): Promise<number> =>
        Promise.resolve(Math.max(used, least) + skip)
      const ids = createReservedIds(reserve, 1_800_000_000_000)
      await ids.refill()
      return ids.take(1)?.[0] ?? 0
    }),
  )
  assert.equal(new Set(starts).size, 10)
  assert.ok(starts.every((id) => id >= used))
})
