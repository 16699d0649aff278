import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keysToClaim, keysToGiveBack } from '../../../src/fleet/share.ts'

test('a relay alone claims every key', () => {
  assert.equal(keysToClaim({ activeKeys: 1000, relays: 1 }, 0), 1000)
})

test('a relay claims up to its share, and gives back what is clearly more', () => {
  const census = { activeKeys: 300, relays: 3 }
  assert.equal(keysToClaim(census, 40), 60)
  assert.equal(keysToGiveBack(census, 100), 0)
  assert.equal(keysToGiveBack(census, 110), 0)
  assert.equal(keysToGiveBack(census, 300), 200)
})

test('a relay with its share or more still claims one key at a time, so that no key waits for a relay that is gone', () => {
  assert.equal(keysToClaim({ activeKeys: 300, relays: 3 }, 150), 1)
  assert.equal(keysToClaim({ activeKeys: 0, relays: 0 }, 0), 1)
})

test('relays that give back and claim end within 20 % of an equal share, and own every key', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(500), { minLength: 1, maxLength: 8 }), fc.nat(2000), (counts, free) => {
      const owned = [...counts]
      let unowned = free
      const activeKeys = counts.reduce((sum, count) => sum + count, free)
      const census = { activeKeys, relays: counts.length }
      for (let round = 0; (round < 20_000 && unowned > 0) || round < 3; round++) {
        for (const index of owned.keys()) {
          const claimed = Math.min(unowned, keysToClaim(census, owned[index] ?? 0))
          unowned -= claimed
          owned[index] = (owned[index] ?? 0) + claimed
          const back = keysToGiveBack(census, owned[index] ?? 0)
          unowned += back
          owned[index] = (owned[index] ?? 0) - back
        }
      }
      const share = activeKeys / counts.length
      assert.equal(unowned, 0)
      for (const count of owned) assert.ok(count <= share * 1.2 + 3, `${owned.join()} of ${activeKeys}`)
    }),
  )
})
