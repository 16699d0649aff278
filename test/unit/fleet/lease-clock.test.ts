import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLeaseClock } from '../../../src/fleet/lease-clock.ts'

const HOUR_MS = 3_600_000

/** A machine whose clocks a test moves on. */
function createMachine(): {
  now: () => number
  pass: (ms: number) => void
  suspend: (ms: number) => void
  step: (ms: number) => void
} {
  const at = { monotonic: 0, uptime: 500_000, wall: 1_000_000 }
  return {
    now: createLeaseClock({
      monotonicMs: () => at.monotonic,
      uptimeMs: () => Math.floor(at.uptime / 10) * 10, // as Linux counts it
      wallMs: () => at.wall,
    }),
    pass: (ms) => {
      at.monotonic += ms
      at.uptime += ms
      at.wall += ms
    },
    suspend: (ms) => {
      at.uptime += ms
      at.wall += ms
    },
    step: (ms) => (at.wall += ms),
  }
}

test('the clock counts time for which the machine was suspended', () => {
  const { now, pass, suspend } = createMachine()
  pass(5000)
  assert.equal(now(), 5000)
  suspend(60_000)
  assert.equal(now(), 65_000)
  pass(5000)
  suspend(20_000)
  pass(10)
  assert.equal(now(), 90_010)
})

test('the clock does not follow steps of the wall clock, not even if the machine was suspended as well', () => {
  const { now, pass, suspend, step } = createMachine()
  for (let round = 0; round < 100; round++) {
    step(round % 2 === 0 ? HOUR_MS : -HOUR_MS)
    pass(10)
    now()
  }
  assert.equal(now(), 1000)
  suspend(60_000)
  step(-HOUR_MS)
  assert.equal(now(), 61_000)
})

test('small adjustments of the wall clock do not add up', () => {
  let monotonicMs = 0
  const now = createLeaseClock({
    monotonicMs: () => monotonicMs,
    uptimeMs: () => monotonicMs,
    wallMs: () => Math.round(monotonicMs * 1.0004),
  })
  for (let round = 0; round < 10_000; round++) {
    monotonicMs += 0.1
    now()
  }
  assert.ok(Math.abs(now() - 1000) < 1)
})
