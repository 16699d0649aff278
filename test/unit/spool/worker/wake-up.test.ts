import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../../../src/delivery/retry.ts'
import { createWakeUp, type WakeUp } from '../../../../src/spool/worker/wake-up.ts'

interface Bench {
  readonly wakeUp: WakeUp
  /** How long each sleep was to last, in the order in which they began. */
  readonly sleeps: number[]
  /** Ends the sleep of that index. */
  readonly endSleep: (index: number) => Promise<void>
  /** Whether the wait is over, after a moment. */
  readonly isOver: (wait: Promise<void>) => Promise<boolean>
}

/** A wake-up with a clock that stands still, whose sleeps the test ends. */
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
    wakeUp: createWakeUp(clock, new AbortController().signal),
    sleeps,
    endSleep: async (index) => {
      ends[index]?.()
      await aMoment()
    },
    isOver: (wait) => Promise.race([wait.then(() => true), aMoment().then(() => false)]),
  }
}

test('a wait ends when its time is over, and not before', async () => {
  const { wakeUp, sleeps, endSleep, isOver } = createBench()
  const wait = wakeUp.wait(100)
  assert.equal(await isOver(wait), false)
  await endSleep(0)
  assert.equal(await isOver(wait), true)
  assert.deepEqual(sleeps, [100])
})

test('a trigger ends the current wait, or else the next one, but not both', async () => {
  const { wakeUp, isOver } = createBench()
  const first = wakeUp.wait(100)
  wakeUp.trigger()
  wakeUp.trigger()
  assert.equal(await isOver(first), true)
  assert.equal(await isOver(wakeUp.wait(100)), false)

  const { wakeUp: other, isOver: isOtherOver } = createBench()
  other.trigger()
  await nextTurn()
  assert.equal(await isOtherOver(other.wait(100)), true)
  assert.equal(await isOtherOver(other.wait(100)), false)
})

test('a wait of no time lasts one turn of the event loop', async () => {
  const { wakeUp, sleeps, isOver } = createBench()
  assert.equal(await isOver(wakeUp.wait(0)), true)
  assert.deepEqual(sleeps, [])
})

test('a sleep that was cut short still ends a later, longer wait', async () => {
  const { wakeUp, sleeps, endSleep, isOver } = createBench()
  const cutShort = wakeUp.wait(100)
  wakeUp.trigger()
  assert.equal(await isOver(cutShort), true)
  const longer = wakeUp.wait(200)
  assert.deepEqual(sleeps, [100])
  await endSleep(0)
  assert.equal(await isOver(longer), true)
  const next = wakeUp.wait(200)
  assert.deepEqual(sleeps, [100, 200])
  await endSleep(1)
  assert.equal(await isOver(next), true)
})

test('a shorter wait gets its own sleep', async () => {
  const { wakeUp, sleeps, endSleep, isOver } = createBench()
  const cutShort = wakeUp.wait(100)
  wakeUp.trigger()
  assert.equal(await isOver(cutShort), true)
  const shorter = wakeUp.wait(50)
  assert.deepEqual(sleeps, [100, 50])
  await endSleep(1)
  assert.equal(await isOver(shorter), true)
})

test('triggers in any order leave no wait behind', async () => {
  const { wakeUp, isOver } = createBench()
  for (let round = 0; round < 200; round++) {
    if (round % 2 === 0) wakeUp.trigger()
    if (round % 3 === 0) await nextTurn()
    const wait = wakeUp.wait(round % 5 === 0 ? 0 : 100)
    if (round % 7 === 0) await nextTurn()
    wakeUp.trigger()
    assert.equal(await isOver(wait), true, `round ${round}`)
  }
})
