import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../src/core/failure.ts'
import { createRoom } from '../../../src/fleet/room.ts'
import { until } from '../../support/until.ts'
import { quickClock } from '../../support/worker.ts'

test('a fleet with as many events as the limit says takes no more until some are delivered', async () => {
  let pending = 2
  const warnings: string[] = []
  const room = createRoom({
    countPending: (most) => Promise.resolve(Math.min(most, pending)),
    limit: 2,
    clock: quickClock(10),
    onWarning: (message) => warnings.push(message),
  })
  assert.equal(room.check(), undefined, 'nothing is known yet')
  await until(() => room.check() !== undefined, 'it is full')
  assert.match(room.check() ?? '', /^the fleet is full: it keeps at most 2 events \(PAGERDUTY_FLEET_LIMIT\)$/)
  pending = 0
  await until(() => room.check() === undefined, 'it has room')
  await room.stop()
  assert.equal(warnings.length, 1)
})

test('what this relay adds counts at once, and a database that is away changes nothing', async () => {
  let isAway = false
  let counts = 0
  const room = createRoom({
    countPending: () => {
      counts++
      return isAway ? Promise.reject(new Failure('undelivered', 'away')) : Promise.resolve(0)
    },
    limit: 2,
    clock: quickClock(1_000_000),
    onWarning: () => undefined,
  })
  room.check()
  await until(() => counts > 2, 'it counts')
  isAway = true
  await until(() => counts > 5, 'it goes on')
  room.added(2)
  assert.match(room.check() ?? '', /full/)
  await room.stop()
})
