import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBreaker, type Breaker, type Fault, type Lane } from '../../../../src/spool/worker/breaker.ts'

type How = Omit<Fault, 'nowMs'>
const ANSWERED: How = { isAnswered: true, afterMs: undefined, random: 1 }
const BROKEN: How = { ...ANSWERED, isAnswered: false }

/** An attempt that begins and fails at a moment. */
function fail(breaker: Breaker, id: number, atMs: number, how: Partial<How> & { lane?: Lane } = {}): void {
  const { lane = 'fresh', ...fault } = how
  breaker.failed(
    { id, alert: `alert-${id}`, lane, startedAtMs: atMs },
    { ...ANSWERED, ...fault, nowMs: atMs },
  )
}

test('while the server works there is room for any number of attempts', () => {
  const breaker = createBreaker()
  assert.equal(breaker.room('fresh', 0), Number.POSITIVE_INFINITY)
  assert.deepEqual([breaker.isProbing(), breaker.isAtRest()], [false, true])
})

test('after a 5xx the next probe is another alert, at once and alone', () => {
  const breaker = createBreaker()
  fail(breaker, 1, 0)
  assert.equal(breaker.room('fresh', 0), 1)
  breaker.started('fresh')
  assert.deepEqual([breaker.room('fresh', 0), breaker.room('tried', 0)], [0, 1])
  breaker.ended('fresh')
  assert.equal(breaker.isProbing(), true)
})

test('an alert that fails alone never pauses others, however often it fails', () => {
  const breaker = createBreaker()
  for (let count = 0; count < 100; count++)
    fail(breaker, 1, count * 1000, { lane: count === 0 ? 'fresh' : 'tried' })
  assert.equal(breaker.room('fresh', 99_000), 1)
  assert.equal(breaker.room('tried', 99_000), 1)
})

test('different alerts that fail pause their lane, longer with each one', () => {
  const breaker = createBreaker()
  const pauses = [1, 2, 3, 4, 5, 6, 7].map((id) => {
    fail(breaker, id, id * 100_000)
    return (breaker.pausedUntilMs('fresh', id * 100_000) ?? Number.NaN) - id * 100_000
  })
  assert.deepEqual(pauses, [Number.NaN, 1000, 2000, 4000, 8000, 8000, 8000])
  assert.equal(breaker.pausedUntilMs('tried', 0), undefined)
})

test('alerts that fail again wait up to a minute, and delay no new ones', () => {
  const breaker = createBreaker()
  for (let count = 0; count < 20; count++) fail(breaker, count % 5, count * 100_000, { lane: 'tried' })
  assert.equal(breaker.pausedUntilMs('tried', 1_900_000), 1_960_000)
  assert.equal(breaker.room('fresh', 1_900_000), 1)
})

test('an unreachable server pauses from the first failure, up to a minute', () => {
  const breaker = createBreaker()
  fail(breaker, 1, 0, BROKEN)
  assert.equal(breaker.pausedUntilMs('fresh', 0), 1000)
  for (let id = 2; id < 20; id++) fail(breaker, id, id * 100_000, BROKEN)
  assert.equal(breaker.pausedUntilMs('fresh', 1_900_000), 1_960_000)
})

test('attempts that were in flight together count as one failure', () => {
  const breaker = createBreaker()
  for (let id = 0; id < 64; id++)
    breaker.failed({ id, alert: `${id}`, lane: 'fresh', startedAtMs: 0 }, { ...ANSWERED, nowMs: 10 + id })
  assert.equal(breaker.pausedUntilMs('fresh', 80), 73 + 1000)
})

test('one acceptance shows that the server works, and ends the waits of all lanes', () => {
  const breaker = createBreaker()
  for (let id = 0; id < 10; id++) fail(breaker, id, 0)
  for (let id = 0; id < 10; id++) fail(breaker, id, 1000, { lane: 'tried' })
  breaker.worked(99, 1000)
  for (const lane of ['fresh', 'tried'] as const)
    assert.equal(breaker.room(lane, 1000), Number.POSITIVE_INFINITY, lane)
})

test('a recovery is reported after a long outage, and not after a short one', () => {
  const breaker = createBreaker()
  for (const id of [1, 2, 3]) fail(breaker, id, id)
  assert.equal(breaker.worked(9, 10), false)
  for (const id of [4, 5, 6, 7]) fail(breaker, id, id * 100)
  assert.equal(breaker.worked(9, 1000), true)
})

test('events that fail again while others are accepted are at fault themselves', () => {
  const breaker = createBreaker()
  for (let round = 0; round < 50; round++) {
    for (let id = 0; id < 20; id++) fail(breaker, id, round * 1000, { lane: round === 0 ? 'fresh' : 'tried' })
    if (round > 0) assert.equal(breaker.isProbing(), false, `round ${round}`)
    breaker.worked(1000 + round, round * 1000 + 500)
  }
})

test('events that fail again with no acceptance in between count as the server’s failures', () => {
  const breaker = createBreaker()
  for (const id of [1, 2]) fail(breaker, id, 0)
  breaker.worked(9, 1)
  for (const atMs of [2, 3]) for (const id of [1, 2]) fail(breaker, id, atMs, { lane: 'tried' })
  assert.equal(breaker.isProbing(), true)
  assert.equal(breaker.room('tried', 3), 0)
})

test('the server’s Retry-After is followed, once different alerts have received it', () => {
  const breaker = createBreaker()
  const asked = { ...ANSWERED, afterMs: 30_000, random: 0 }
  fail(breaker, 1, 0, asked)
  assert.equal(breaker.pausedUntilMs('fresh', 0), undefined)
  fail(breaker, 2, 0, asked)
  assert.equal(breaker.pausedUntilMs('fresh', 0), 30_000)
})

test('a breaker is forgotten only when it knows nothing about any event', () => {
  const breaker = createBreaker()
  fail(breaker, 1, 0)
  breaker.worked(2, 1)
  assert.equal(breaker.isAtRest(), false)
  breaker.worked(1, 2)
  assert.equal(breaker.isAtRest(), true)
})
