import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../src/core/failure.ts'
import type { EngineState, Taken, TakeRequest } from '../../../src/fleet/engine.ts'
import { rejoiningFirst } from '../../../src/fleet/rejoining-first.ts'

const REQUEST: TakeRequest = {
  keys: [],
  room: 1,
  busy: [],
  rate: { permits: 1, windowMs: 1 },
}
const TAKEN: Taken = { nowMs: 0, events: [], keys: [] }
const AWAY: EngineState = { kind: 'down', reason: 'away', isConfiguration: false }

/** A relay that can deliver alone, and what it did: `take` and `rejoin`. */
function createRelay(rejoined: () => Promise<void> = async () => undefined) {
  const calls: string[] = []
  const relay = {
    owes: false,
    timesBegun: 0,
    state: { kind: 'up', host: 'a' } as EngineState,
    answer: Promise.resolve(TAKEN),
  }
  const engine = {
    state: () => relay.state,
    take: (_request: TakeRequest) => {
      calls.push('take')
      return relay.answer
    },
  }
  const { take } = rejoiningFirst(engine, {
    rejoin: async () => {
      calls.push('rejoin')
      await rejoined()
    },
    owesResults: () => relay.owes,
    timesBegun: () => relay.timesBegun,
  })
  return { relay, calls, take: () => take(REQUEST) }
}

test('a relay that owes the fleet nothing just takes', async () => {
  const { calls, take } = createRelay()
  assert.equal(await take(), TAKEN)
  assert.deepEqual(calls, ['take'])
})

test('one that has delivered alone tells the results first', async () => {
  const { relay, calls, take } = createRelay()
  relay.owes = true
  assert.equal(await take(), TAKEN)
  assert.deepEqual(calls, ['rejoin', 'take'])
})

test('it takes nothing if the results cannot be told', async () => {
  const { relay, calls, take } = createRelay(() => Promise.reject(new Failure('undelivered', 'away again')))
  relay.owes = true
  await assert.rejects(take(), { kind: 'undelivered', message: 'away again' })
  assert.deepEqual(calls, ['rejoin'])
})

test('it does not even ask while the database is away, since the question would wait for a connection', async () => {
  const { relay, calls, take } = createRelay()
  Object.assign(relay, { owes: true, state: AWAY })
  await assert.rejects(take(), { kind: 'undelivered' })
  assert.deepEqual(calls, [])
})

test('what arrives after it has begun to deliver alone is dropped', async () => {
  const { relay, take } = createRelay()
  const { promise, resolve } = Promise.withResolvers<Taken>()
  relay.answer = promise
  const taking = take()
  relay.timesBegun = 1
  resolve(TAKEN)
  await assert.rejects(taking, { kind: 'undelivered' })
})
