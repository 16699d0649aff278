import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keysToClaim, keysToGiveBack } from '../../../src/fleet/share.ts'

test('a relay alone claims every key', () => {
  assert.equal(keysToClaim({ activeKeys: 1000, relays: 1 }, 0), 1000)
})

test('a relay claims up to its share, and gives back what is more: at once if it is much more', () => {
  const census = { activeKeys: 300, relays: 3 }
  assert.equal(keysToClaim(census, 40), 60)
  assert.equal(keysToGiveBack(census, 101), 0)
  assert.equal(keysToGiveBack(census, 102), 1)
  assert.equal(keysToGiveBack(census, 111), 1)
  assert.equal(keysToGiveBack(census, 112), 12)
  assert.equal(keysToGiveBack(census, 300), 200)
})

test('a relay with its share or more still claims one key at a time, so that no key waits for a relay that is gone', () => {
  assert.equal(keysToClaim({ activeKeys: 300, relays: 3 }, 150), 1)
  assert.equal(keysToClaim({ activeKeys: 0, relays: 0 }, 0), 1)
})

test('the eleventh relay gets its share, although each of the ten has little more than theirs', () => {
  const owned = settleShares([...Array.from({ length: 10 }, () => 100), 0], 0)
  assert.ok(Math.min(...owned) >= 80, owned.join())
})

test('relays that give back and claim end with equal shares, but for one key each, and own every key', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(500), { minLength: 1, maxLength: 8 }), fc.nat(2000), (counts, free) => {
      const owned = settleShares(counts, free)
      const activeKeys = counts.reduce((sum, count) => sum + count, free)
      const share = Math.ceil(activeKeys / counts.length)
      assert.equal(
        owned.reduce((sum, count) => sum + count, 0),
        activeKeys,
      )
      for (const count of owned) assert.ok(count <= share + 1, `${owned.join()} of ${activeKeys}`)
    }),
  )
})

/** Lets relays that own so many keys claim and give back in turns, until no key moves. */
function settleShares(counts: readonly number[], free: number): number[] {
  const owned = [...counts]
  let unowned = free
  const census = { activeKeys: counts.reduce((sum, count) => sum + count, free), relays: counts.length }
  for (let [round, isMoving] = [0, true]; isMoving && round < 20_000; round++) {
    isMoving = false
    for (const [index, before] of owned.entries()) {
      const claimed = Math.min(unowned, keysToClaim(census, before))
      const back = keysToGiveBack(census, before + claimed)
      owned[index] = before + claimed - back
      unowned += back - claimed
      isMoving ||= claimed > 0 || back > 0
    }
  }
  return owned
}
