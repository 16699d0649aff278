import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createChangeMemory } from '../../../src/relay/change-memory.ts'

test('what has changed since a step is known, each event once, the latest change last', () => {
  const memory = createChangeMemory()
  assert.deepEqual([memory.sequence(), memory.since(0)], [0, []])
  memory.add([1, 2])
  const seen = memory.sequence()
  memory.add([3])
  memory.add([1, 3])
  memory.add([4, 1])
  assert.deepEqual(memory.since(seen), [3, 4, 1])
  assert.deepEqual(memory.since(memory.sequence()), [])
})

test('after a step in which nobody knows what has changed, nothing from before is known', () => {
  const memory = createChangeMemory()
  memory.add([1])
  const seen = memory.sequence()
  memory.forget()
  assert.equal(memory.since(seen), undefined)
  const later = memory.sequence()
  memory.add([2])
  assert.deepEqual(memory.since(later), [2])
})

test('only the last thousand or so changes are remembered', () => {
  const memory = createChangeMemory()
  for (let id = 1; id <= 5000; id++) memory.add([id])
  assert.equal(memory.since(10), undefined)
  assert.deepEqual(memory.since(4997), [4998, 4999, 5000])
  memory.add(Array.from({ length: 1001 }, (_, id) => id))
  assert.equal(memory.since(5000), undefined)
})

test('a step that never was is not known', () => {
  const memory = createChangeMemory()
  memory.add([1])
  for (const step of [2, -1, 0.5, Number.NaN]) assert.equal(memory.since(step), undefined, String(step))
})
