import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DueEvent } from '../../../../src/spool/spool.ts'
import {
  createKeyState,
  noteEnd,
  noteOutcome,
  noteStart,
  reportOf,
  type KeyState,
} from '../../../../src/spool/worker/key-state.ts'

const RATE = 110

/** A key whose rate was used by this many change events at once, at a time in milliseconds. */
function keyAfter(changes: number, atMs = 0): KeyState {
  const state = createKeyState('key', RATE)
  for (let id = 1; id <= changes; id++) {
    const event = changeEvent(id)
    noteStart(state, event, atMs)
    noteEnd(state, event)
  }
  return state
}

function changeEvent(id: number): DueEvent {
  return { id, keyId: 1, kind: 'change', attempts: 0, acceptedAtMs: 0, body: '{}', checksum: 0 }
}

function nextOf(state: KeyState, nowMs: number): readonly (number | undefined)[] {
  const { nextAlertAtMs, nextChangeAtMs } = reportOf(state, nowMs)
  return [nextAlertAtMs, nextChangeAtMs]
}

test('a key that has room says that its next events go at once', () => {
  assert.deepEqual(nextOf(keyAfter(79), 0), [undefined, undefined])
})

test('when change events have used their part of the rate, only they wait', () => {
  assert.deepEqual(nextOf(keyAfter(80), 1000), [undefined, 60_000])
})

test('when the whole rate is used, alerts wait, too, although nothing pauses the key', () => {
  const report = reportOf(keyAfter(RATE), 1000)
  assert.deepEqual(report, {
    usedLastMinute: RATE,
    perMinute: RATE,
    nextAlertAtMs: 60_000,
    nextChangeAtMs: 60_000,
  })
})

test('after a 429 both wait until the pause and the minute are over, whichever ends later', () => {
  const throttle = (state: KeyState, afterMs: number): KeyState => {
    const outcome = { kind: 'retry', status: 429, reason: '429', afterMs } as const
    noteOutcome(state, changeEvent(1), outcome, { startedAtMs: 0, nowMs: 0, random: 0 })
    return state
  }
  assert.deepEqual(nextOf(throttle(keyAfter(1), 40_000), 0), [40_000, 40_000])
  assert.deepEqual(nextOf(throttle(keyAfter(80), 40_000), 0), [40_000, 60_000])
  assert.deepEqual(nextOf(throttle(keyAfter(RATE), 90_000), 0), [90_000, 90_000])
})
