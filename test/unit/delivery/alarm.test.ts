import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../../src/delivery/retry.ts'
import { createAlarm, type Alarm } from '../../../src/spool/worker/wake-up.ts'

interface Bench {
  readonly alarm: Alarm
  /** How long each sleep was to last, in the order in which they began. */
  readonly sleeps: number[]
  /** Ends the sleep of that place. */
  readonly wakeUp: (index: number) => Promise<void>
  /** Whether the wait is over, after a moment. */
  readonly isOver: (wait: Promise<void>) => Promise<boolean>
}

/** An alarm on a clock that stands still, whose sleeps the test ends. */
function createBench(): Bench {
  const sleeps: number[] = []
  const ends: (() => void)[] = []
  const clock: Clock = {
    now: () => 0,
    random: () => 0.5,
    sleep: (durationMs) =>
      new Promise((resolve) => {
        sleeps.push(durationMs)
        ends.push(resolve)
      }),
  }
  const aMoment = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await nextTurn()
  }
  return {
    alarm: createAlarm(clock, new AbortController().signal),
    sleeps,
    wakeUp: async (index) => {
      ends[index]?.()
      await aMoment()
    },
    isOver: (wait) => Promise.race([wait.then(() => true), aMoment().then(() => false)]),
  }
}

test('a wait ends when its time is over, and not before', async () => {
  const { alarm, sleeps, wakeUp, isOver } = createBench()
  const wait = alarm.wait(100)
  assert.equal(await isOver(wait), false)
  await wakeUp(0)
  assert.equal(await isOver(wait), true)
  assert.deepEqual(sleeps, [100])
})

test('a ring ends the wait under way, or the next one, and no more than that', async () => {
  const { alarm, isOver } = createBench()
  const first = alarm.wait(100)
  alarm.ring()
  alarm.ring()
  assert.equal(await isOver(first), true)
  assert.equal(await isOver(alarm.wait(100)), false)

  const { alarm: other, isOver: isOtherOver } = createBench()
  other.ring()
  await nextTurn()
  assert.equal(await isOtherOver(other.wait(100)), true)
  assert.equal(await isOtherOver(other.wait(100)), false)
})

test('no time to wait is a turn of the event loop', async () => {
  const { alarm, sleeps, isOver } = createBench()
  assert.equal(await isOver(alarm.wait(0)), true)
  assert.deepEqual(sleeps, [])
})

test('a sleep that was cut short serves a later wait that is not over before it', async () => {
  const { alarm, sleeps, wakeUp, isOver } = createBench()
  const cutShort = alarm.wait(100)
  alarm.ring()
  assert.equal(await isOver(cutShort), true)
  const longer = alarm.wait(200)
  assert.deepEqual(sleeps, [100])
  await wakeUp(0)
  assert.equal(await isOver(longer), true)
  const next = alarm.wait(200)
  assert.deepEqual(sleeps, [100, 200])
  await wakeUp(1)
  assert.equal(await isOver(next), true)
})

test('a shorter wait sleeps by itself', async () => {
  const { alarm, sleeps, wakeUp, isOver } = createBench()
  const cutShort = alarm.wait(100)
  alarm.ring()
  assert.equal(await isOver(cutShort), true)
  const shorter = alarm.wait(50)
  assert.deepEqual(sleeps, [100, 50])
  await wakeUp(1)
  assert.equal(await isOver(shorter), true)
})

test('rings in every order leave no wait behind', async () => {
  const { alarm, isOver } = createBench()
  for (let round = 0; round < 200; round++) {
    if (round % 2 === 0) alarm.ring()
    if (round % 3 === 0) await nextTurn()
    const wait = alarm.wait(round % 5 === 0 ? 0 : 100)
    if (round % 7 === 0) await nextTurn()
    alarm.ring()
    assert.equal(await isOver(wait), true, `round ${round}`)
  }
})
