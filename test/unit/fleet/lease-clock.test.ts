import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLeaseClock } from '../../../src/fleet/lease-clock.ts'

test('the clock counts time that only the wall clock has seen, and no step backwards', () => {
  let monotonicMs = 0
  let wallMs = 1_000_000
  const now = createLeaseClock(
    () => monotonicMs,
    () => wallMs,
  )
  const pass = (monotonic: number, wall: number): number => {
    monotonicMs += monotonic
    wallMs += wall
    return now()
  }
  assert.equal(pass(5000, 5000), 5000)
  assert.equal(pass(10, 60_010), 65_010) // the machine was suspended for a minute
  assert.equal(pass(5000, 5000), 70_010)
  assert.equal(pass(1000, -3_600_000), 71_010) // somebody set the clock back by an hour
  assert.equal(pass(1000, 1000), 72_010)
})

test('small adjustments of the wall clock do not add up', () => {
  let monotonicMs = 0
  const now = createLeaseClock(
    () => monotonicMs,
    () => Math.round(monotonicMs * 1.0004),
  )
  for (let round = 0; round < 10_000; round++) {
    monotonicMs += 0.1
    now()
  }
  assert.ok(Math.abs(now() - 1000) < 1)
})
