import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '../../../src/core/outcome.ts'
import { deliver, type Clock, type DeliveryResult, type Retry } from '../../../src/delivery/retry.ts'

/** A clock that stands still but for what is slept and what attempts take. */
function createFakeClock(): Clock & { slept: number[]; pass(durationMs: number): void } {
  let nowMs = 1000
  const slept: number[] = []
  return {
    slept,
    now: () => nowMs,
    pass: (durationMs) => void (nowMs += durationMs),
    random: () => 0.5,
    sleep: async (durationMs) => {
      slept.push(durationMs)
      nowMs += durationMs
    },
  }
}

interface Run {
  result: DeliveryResult
  slept: number[]
  budgets: number[]
  retries: Retry[]
}

async function run(
  outcomes: Outcome[],
  { deadlineMs = 60_000, attemptMs = 10, abort = new AbortController() } = {},
): Promise<Run> {
  const clock = createFakeClock()
  const budgets: number[] = []
  const retries: Retry[] = []
  const result = await deliver({
    attempt: async (timeoutMs) => {
      budgets.push(timeoutMs)
      clock.pass(Math.min(attemptMs, timeoutMs))
      return outcomes[Math.min(budgets.length, outcomes.length) - 1]!
    },
    deadlineAtMs: clock.now() + deadlineMs,
    timeoutMs: 10_000,
    clock,
    signal: abort.signal,
    onRetry: (retry) => {
      retries.push(retry)
      if (retries.length === 2 && abort.signal.reason === undefined && deadlineMs === 1234) abort.abort(143)
    },
  })
  return { result, slept: clock.slept, budgets, retries }
}

const ACCEPTED: Outcome = { kind: 'accepted', status: 202 }
const UNAVAILABLE: Outcome = { kind: 'retry', status: 503, reason: '503: down' }
const THROTTLED: Outcome = { kind: 'retry', status: 429, reason: '429: slow', afterMs: 30_000 }

test('an event that is accepted at once takes one attempt and no wait', async () => {
  const { result, slept } = await run([ACCEPTED])
  assert.deepEqual(result, { outcome: 'accepted', status: 202, attempts: 1, durationMs: 10 })
  assert.deepEqual(slept, [])
})

test('waits double, and each is reported with the time left', async () => {
  const { result, slept, retries } = await run([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, ACCEPTED])
  assert.deepEqual(slept, [500, 1000, 2000])
  assert.equal(result.attempts, 4)
  assert.deepEqual(retries[0], { attempt: 1, reason: '503: down', delayMs: 500, leftMs: 60_000 - 10 - 500 })
})

test('a refusal, or any failure that a retry cannot fix, ends it at once', async () => {
  for (const [kind, outcome] of [
    ['refused', 'refused'],
    ['unreachable', 'undelivered'],
  ] as const) {
    const { result, budgets } = await run([{ kind, reason: 'no', status: 400 }])
    assert.deepEqual([result.outcome, result.reason, budgets.length], [outcome, 'no', 1])
  }
})

test('a wait that would pass the deadline ends it at once', async () => {
  const { result, slept } = await run([THROTTLED], { deadlineMs: 30_000 })
  assert.deepEqual([result.outcome, result.attempts, slept.length], ['undelivered', 1, 0])
  assert.equal(result.durationMs, 10)
})

test('the server’s Retry-After is waited for, and the attempt is repeated', async () => {
  const { result, slept } = await run([THROTTLED, ACCEPTED])
  assert.deepEqual([result.outcome, slept], ['accepted', [30_500]])
})

test('no attempt may run past the deadline, but the first is always made', async () => {
  const { budgets, result } = await run([UNAVAILABLE], { deadlineMs: 12_000, attemptMs: 10_000 })
  assert.deepEqual(budgets, [10_000, 1500])
  assert.equal(result.outcome, 'undelivered')
  assert.deepEqual((await run([ACCEPTED], { deadlineMs: -5 })).result.outcome, 'accepted')
})

test('an abort during a wait ends it without another attempt', async () => {
  const { result, budgets } = await run([{ kind: 'retry', reason: 'x', afterMs: 0 }], { deadlineMs: 1234 })
  assert.deepEqual([result.outcome, budgets.length], ['undelivered', 2])
})
