import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyTaken, OwnedKey, TakenEvent } from '../../../src/fleet/engine.ts'
import { PERMIT_MS } from '../../../src/fleet/mirror-shelf.ts'
import { createMirror, MAX_HELD, type Mirror } from '../../../src/fleet/mirror.ts'
import type { DueOptions } from '../../../src/spool/spool.ts'
import { DEFAULT_KEY } from '../../support/spool.ts'

const TIMEOUT_MS = 10_000
const LEASE_MS = 20_000

interface Setup {
  readonly mirror: Mirror
  readonly pass: (ms: number) => void
}

function setUp(): Setup {
  let nowMs = 0
  const toLocalMs = (serverMs: number): number => serverMs
  const mirror = createMirror({ now: () => nowMs, timeoutMs: TIMEOUT_MS, toLocalMs })
  return { mirror, pass: (ms) => (nowMs += ms) }
}

const owned = (keyId: number, epoch = 1): OwnedKey => ({ keyId, epoch, key: DEFAULT_KEY })
const event = (id: number, more: Partial<TakenEvent> = {}): TakenEvent => ({
  id,
  keyId: 1,
  epoch: 1,
  kind: 'alert',
  body: '{}',
  attempts: 0,
  acceptedAtMs: 0,
  checksum: 0,
  ...more,
})
const state = (more: Partial<KeyTaken> = {}): KeyTaken => ({
  keyId: 1,
  isLost: false,
  permits: 1,
  isMore: false,
  permitInMs: 0,
  ...more,
})
const take = (mirror: Mirror, events: TakenEvent[], more: Partial<KeyTaken> = {}): Set<number> =>
  mirror.accept({ nowMs: 0, events, keys: [state(more)] }, 0)
const ALL: DueOptions = {
  nowMs: 0,
  fresh: 64,
  tried: 64,
  limit: 64,
  exclude: new Set(),
  isNewestFirst: false,
}
const dueIds = (mirror: Mirror, more: Partial<DueOptions> = {}): number[] =>
  mirror.due(1, 'alert', { ...ALL, ...more }).events.map(({ id }) => id)

test('an attempt begins only if the lease lasts for as long as the attempt may take', () => {
  const { mirror, pass } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  take(mirror, [event(1)])
  assert.deepEqual(dueIds(mirror), [1])
  assert.equal(mirror.mayAttempt(event(1)), true)
  pass(LEASE_MS - TIMEOUT_MS)
  assert.equal(mirror.mayAttempt(event(1)), false)
  assert.deepEqual(dueIds(mirror), [])
  assert.deepEqual(mirror.requests(10), [])
  mirror.renew(mirror.leases(), [owned(1)], 2 * LEASE_MS)
  assert.equal(mirror.mayAttempt(event(1)), true)
})

test('a key that is missing from a renewal, or has another epoch, is lost with what was taken of it', () => {
  for (const renewed of [[], [owned(1, 2)]]) {
    const { mirror } = setUp()
    mirror.own([owned(1)], LEASE_MS)
    take(mirror, [event(1)])
    mirror.renew(mirror.leases(), renewed, 2 * LEASE_MS)
    assert.deepEqual([mirror.keyIds(), dueIds(mirror), mirror.heldIds()], [[], [], []])
    assert.equal(mirror.mayAttempt(event(1)), false)
  }
})

test('an attempt in flight outlives its key, so that its result can be written', () => {
  const { mirror } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  take(mirror, [event(1)])
  assert.deepEqual(dueIds(mirror), [1])
  mirror.drop([1])
  assert.deepEqual(mirror.heldIds(), [1])
  assert.equal(mirror.held(1)?.event.epoch, 1)
  mirror.release(1, false)
  assert.equal(mirror.room(), MAX_HELD)
})

test('a key that is claimed during a renewal is not lost by it', () => {
  const { mirror } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  const asked = mirror.leases()
  mirror.own([owned(2)], LEASE_MS)
  mirror.renew(asked, [owned(1)], 2 * LEASE_MS)
  assert.deepEqual(mirror.keyIds(), [1, 2])
})

test('an attempt in flight outlives a lease that ran out and the next one of its own relay', () => {
  const { mirror } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  take(mirror, [event(1)])
  assert.deepEqual(dueIds(mirror), [1])
  mirror.own([owned(1, 2)], LEASE_MS)
  assert.deepEqual([mirror.heldIds(), mirror.held(1)?.event.epoch], [[1], 1])
  assert.deepEqual(dueIds(mirror), [])
})

test('a permit that was not used soon is dropped, and the event has to be taken again', () => {
  const { mirror, pass } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  take(mirror, [event(1)])
  pass(PERMIT_MS)
  assert.deepEqual(dueIds(mirror), [])
  assert.deepEqual(mirror.heldIds(), [])
  assert.deepEqual(
    mirror.requests(10).map(({ keyId }) => keyId),
    [1],
  )
})

test('no more is asked for than the worker can begin, and it is asked again later', () => {
  const { mirror, pass } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  take(mirror, [], { isMore: true, permits: 0 })
  for (const kind of ['alert', 'change'] as const)
    mirror.due(1, kind, { ...ALL, fresh: 0, tried: 0, limit: 0 })
  pass(200)
  assert.deepEqual(mirror.requests(10), [])
  assert.deepEqual([...mirror.unwanted()], [1])
  assert.deepEqual([...mirror.unwanted()], [])
})

test('the worker looks again at a key that has more due, if nothing that it wanted could be taken', () => {
  const { mirror } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  mirror.due(1, 'alert', { ...ALL, fresh: 0, tried: 1 }) // its breaker lets only one tried event through
  assert.deepEqual([...take(mirror, [], { isMore: true, permits: 0 })], [1])
  assert.deepEqual([...take(mirror, [], { isMore: false, permits: 0 })], [])
})

test('an event is held once, and again after its result is written', () => {
  const { mirror } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  take(mirror, [event(1)])
  assert.deepEqual(dueIds(mirror), [1])
  take(mirror, [event(1)])
  assert.deepEqual(dueIds(mirror, { exclude: new Set([1]) }), [])
  mirror.release(1, false)
  take(mirror, [event(1, { attempts: 1 })])
  assert.deepEqual(dueIds(mirror), [1])
})

test('news about keys of others is reported, and about own keys makes them asked for at once', () => {
  const { mirror } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  take(mirror, [], { permits: 0 })
  assert.ok(mirror.askAtMs() > 0)
  assert.deepEqual(mirror.noteDue([1, 2]), [2])
  assert.equal(mirror.askAtMs(), 0)
})

test('of each key no more is asked for than its share of the room, and one that shows whether there is more', () => {
  const { mirror } = setUp()
  mirror.own(
    [1, 2, 3].map((keyId) => owned(keyId)),
    LEASE_MS,
  )
  const mosts = (room: number): number[] => mirror.requests(room).map(({ most }) => most)
  assert.deepEqual(mosts(30), [11, 11, 11])
  assert.deepEqual(mosts(2), [2, 2])
  mirror.drop([2, 3])
  assert.deepEqual(mosts(30), [31])
})

test('with more keys than room, each is asked about in its turn', () => {
  const { mirror } = setUp()
  mirror.own(
    [1, 2, 3, 4, 5].map((keyId) => owned(keyId)),
    LEASE_MS,
  )
  const ask = (): number[] => mirror.requests(2).map(({ keyId }) => keyId)
  assert.deepEqual(
    [ask(), ask(), ask()],
    [
      [1, 2],
      [3, 4],
      [5, 1],
    ],
  )
})

test('events whose permits expired leave room for others', () => {
  const { mirror, pass } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  take(mirror, [event(1), event(2)])
  assert.equal(mirror.room(), MAX_HELD - 2)
  pass(PERMIT_MS)
  mirror.unwanted()
  assert.equal(mirror.room(), MAX_HELD)
  mirror.accept({ nowMs: 0, events: [event(1)], keys: [] }, PERMIT_MS)
  assert.deepEqual([mirror.heldIds(), dueIds(mirror)], [[1], [1]])
})

const IDLE = { permits: 0, isMore: false }
const inUse = (mirror: Mirror): boolean => mirror.idleKeyIds(Infinity).length === 0

test('a key is in use while an attempt of its last event is in progress, and idle as soon as that is delivered', () => {
  const { mirror, pass } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  take(mirror, [event(1)])
  assert.deepEqual(dueIds(mirror), [1])
  assert.equal(inUse(mirror), true)
  pass(70)
  mirror.release(1, false)
  assert.deepEqual([mirror.idleKeyIds(69), mirror.idleKeyIds(70)], [[], [1]])
  assert.deepEqual(mirror.waitingKeyIds(), { due: [], later: [] })
  pass(500)
  take(mirror, [], IDLE)
  assert.deepEqual(mirror.idleKeyIds(70), [1], 'asking about it does not make it used')
})

test('a key whose last attempt has failed stays in use, and waits for its retry', () => {
  const { mirror } = setUp()
  mirror.own([owned(1)], LEASE_MS)
  take(mirror, [event(1)])
  assert.deepEqual([dueIds(mirror), mirror.waitingKeyIds()], [[1], { due: [], later: [] }])
  mirror.release(1, true)
  assert.deepEqual([inUse(mirror), mirror.waitingKeyIds()], [true, { due: [], later: [1] }])
  take(mirror, [], { ...IDLE, dueInMs: 1000 })
  assert.deepEqual([inUse(mirror), mirror.waitingKeyIds()], [true, { due: [], later: [1] }])
  take(mirror, [], IDLE) // somebody has discarded the event
  assert.equal(inUse(mirror), false)
})

test('a key that has more is in use, whether it waits for room or for news to be looked into', () => {
  const { mirror } = setUp()
  mirror.own([owned(1), owned(2)], LEASE_MS)
  assert.deepEqual([inUse(mirror), mirror.waitingKeyIds()], [true, { due: [1, 2], later: [] }])
  mirror.accept({ nowMs: 0, events: [], keys: [state(IDLE), state({ ...IDLE, keyId: 2, dueInMs: 1 })] }, 0)
  assert.deepEqual([mirror.idleKeyIds(0), mirror.waitingKeyIds()], [[1], { due: [], later: [2] }])
  mirror.noteDue([1])
  assert.deepEqual(mirror.waitingKeyIds(), { due: [1], later: [2] })
})

test('idle keys are asked about at the same moments, so that one statement asks about many', () => {
  const { mirror, pass } = setUp()
  const askAts = [1, 2, 3].map((keyId) => {
    mirror.drop(mirror.keyIds())
    mirror.own([owned(keyId)], LEASE_MS)
    pass(60)
    take(mirror, [], { ...IDLE, keyId })
    return mirror.askAtMs()
  })
  assert.deepEqual(askAts, [500, 500, 500])
})
