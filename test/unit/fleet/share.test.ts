import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CLAIM_MS, createShare, KEEP_MS, type Waiting } from '../../../src/fleet/share.ts'

const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

test('a relay alone claims every key', () => {
  assert.equal(createShare().toClaim({ activeKeys: 1000, relays: 1 }, 0, 0), 1000)
})

test('a relay claims up to its share', () => {
  assert.equal(createShare().toClaim({ activeKeys: 300, relays: 3 }, 40, 0), 60)
})

test('a relay with its share or more still claims one key at a time, so that no key waits for a relay that is gone', () => {
  assert.equal(createShare().toClaim({ activeKeys: 300, relays: 3 }, 150, 0), 1)
  assert.equal(createShare().toClaim({ activeKeys: 0, relays: 0 }, 0, 0), 1)
})

const dueOnly = (due: number): Waiting => ({ due, later: 0 })

test('a relay gives back what is more than its share: first one, and then at once if it is much more', () => {
  const census = { activeKeys: 300, relays: 3 }
  const giveBacks = (owned: number): number[] => {
    const share = createShare()
    return [0, 500, 1000].map((nowMs) => {
      const { due } = share.toGiveBack(census, owned, dueOnly(owned), nowMs)
      share.gaveBack(ids(due), 0, nowMs)
      return due
    })
  }
  assert.deepEqual([101, 102, 111, 112, 300].map(giveBacks), [
    [0, 0, 0],
    [1, 0, 1],
    [1, 0, 1],
    [1, 0, 12],
    [1, 0, 200],
  ])
})

test('keys that only wait for retries are given back first, and at once: nothing of them waits for another relay', () => {
  const census = { activeKeys: 300, relays: 3 }
  const giveBack = (waiting: Waiting): Waiting => createShare().toGiveBack(census, 300, waiting, 0)
  assert.deepEqual(giveBack({ due: 0, later: 300 }), { due: 0, later: 200 })
  assert.deepEqual(giveBack({ due: 100, later: 150 }), { due: 1, later: 150 })
  assert.deepEqual(giveBack({ due: 0, later: 0 }), { due: 0, later: 0 }, 'all are being attempted')
})

test('a key that was given back is for others first, and if it comes back, the relay keeps what it has', () => {
  const census = { activeKeys: 300, relays: 3 }
  const share = createShare()
  const giveBack = (nowMs: number): number => share.toGiveBack(census, 300, dueOnly(300), nowMs).due
  assert.equal(giveBack(0), 1)
  share.gaveBack([7], 0, 0)
  assert.equal(share.toClaim(census, 299, CLAIM_MS - 1), 0)
  assert.equal(share.toClaim(census, 299, CLAIM_MS), 1)
  share.claimed([7], CLAIM_MS)
  assert.equal(giveBack(CLAIM_MS + KEEP_MS - 1), 0)
  assert.equal(giveBack(CLAIM_MS + KEEP_MS), 1, 'it tries again, with one')
})

test('keys that the others leave unclaimed are claimed in ever larger numbers, once a turn', () => {
  const census = { activeKeys: 300, relays: 3 }
  const share = createShare()
  const claim = (nowMs: number, found?: number): number => {
    const most = share.toClaim(census, 100, nowMs)
    share.claimed(ids(found ?? most), nowMs)
    return most
  }
  assert.deepEqual([claim(0), claim(10), claim(1000), claim(2000), claim(3000, 2)], [1, 2, 2, 4, 8])
  assert.equal(claim(4000), 1)
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

/** Lets relays that own so many keys claim and give back in turns, one a second, until no key moves. */
function settleShares(counts: readonly number[], free: number): number[] {
  let nextId = 0
  const keysOf = (count: number): number[] => Array.from({ length: count }, () => nextId++)
  const relays = counts.map((count) => ({ owned: keysOf(count), share: createShare() }))
  let unowned = keysOf(free)
  const census = { activeKeys: nextId, relays: counts.length }
  for (
    let [nowMs, movedAtMs] = [0, 0];
    nowMs <= movedAtMs + 2 * KEEP_MS && nowMs < 20_000_000;
    nowMs += CLAIM_MS
  ) {
    for (const relay of relays) {
      const claimed = unowned.slice(0, relay.share.toClaim(census, relay.owned.length, nowMs))
      relay.share.claimed(claimed, nowMs)
      relay.owned.push(...claimed)
      const count = relay.owned.length
      const back = relay.owned.splice(0, relay.share.toGiveBack(census, count, dueOnly(count), nowMs).due)
      relay.share.gaveBack(back, 0, nowMs)
      unowned = [...unowned.slice(claimed.length), ...back]
      if (claimed.length > 0 || back.length > 0) movedAtMs = nowMs
    }
  }
  return relays.map(({ owned }) => owned.length)
}
