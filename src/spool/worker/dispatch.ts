import type { WorkerDeps } from './types.ts'
import type { DueEvent } from '../spool.ts'
import { createSchedule } from './schedule.ts'
import { createAttempts } from './attempts.ts'
import type { KeyState } from './key-state.ts'
import { createKeyStates } from './key-states.ts'
import { lookForDue } from './look.ts'
import type { StoreHealth } from './store-health.ts'

/** Attempts in flight at once, of all keys: each holds an event's bytes and a connection. */
const MAX_IN_FLIGHT = 256

/** Attempts what is due, as far as there is room, and writes down what came of it. */
export interface Dispatcher {
  /** Begins with what the spool holds, after another process has delivered, or none. */
  takeOver(): Promise<void>
  /** Looks for what other processes have added. */
  refresh(): void
  /** Begins with these keys. */
  lookAt(keyIds: Iterable<number>): void
  /** Starts the attempts for which there is room. Returns when there is more to do, on the spool's clock. */
  work(): number
  /** Forgets what is not needed any more. */
  tidy(): Promise<void>
  /** Resolves when nothing is in flight. */
  settled(): Promise<void>
}

export interface DispatcherHooks {
  /** There may be more to do than `work` said. */
  readonly wake: () => void
  readonly storeHealth: StoreHealth
  /** Breaks off what is in flight; it stays pending. */
  readonly broken: AbortSignal
}

/** A dispatcher that has not begun. */
export function createDispatcher(
  deps: WorkerDeps,
  { wake, storeHealth, broken }: DispatcherHooks,
): Dispatcher {
  const { queue } = deps.spool
  const schedule = createSchedule()
  const running = createRunning()
  const lookAgain = (keyId: number): void => {
    schedule.addNow(keyId)
    wake()
  }
  const states = createKeyStates({ ...deps, queue, lookAgain })
  const attempts = createAttempts(deps, { storeHealth, broken, lookAgain })

  const start = async (state: KeyState, event: DueEvent): Promise<void> => {
    const isSettled = await running.add(attempts.make(state, event))
    // Most events are the only one of their key. Whatever comes to be due by a transaction is told by it.
    if (state.mayHaveMore || !isSettled) schedule.addNow(event.keyId)
    if ((schedule.nextAtMs() ?? Infinity) <= queue.now()) wake()
  }
  const serve = (keyId: number, nowMs: number): void => {
    const state = states.get(keyId)
    if (state === undefined) return
    const { events, againAtMs } = lookForDue(queue, state, nowMs, running.room())
    for (const event of events) void start(state, event)
    if (againAtMs !== undefined) schedule.addAt(keyId, againAtMs)
  }
  const refresh = (): void => {
    for (const { keyId, dueAtMs } of queue.dueKeys()) {
      states.prepare(keyId) // all names of a secret are known before the events of one of them are looked at
      schedule.addAt(keyId, dueAtMs)
    }
  }
  return {
    takeOver: async () => {
      schedule.clear()
      states.restart()
      const reason = await queue.mendDues()
      if (reason !== undefined) storeHealth.failed(reason)
      refresh()
    },
    refresh,
    lookAt: (keyIds) => {
      for (const keyId of keyIds) schedule.addNow(keyId)
    },
    work: () => {
      const nowMs = queue.now()
      schedule.take(nowMs, running.room(), (keyIds) =>
        queue.readTogether(() => {
          for (const keyId of keyIds) states.prepare(keyId)
          for (const keyId of keyIds) serve(keyId, nowMs)
        }),
      )
      return running.room() > 0 ? (schedule.nextAtMs() ?? Infinity) : Infinity
    },
    tidy: async () => {
      states.tidy()
      await queue.tidy()
    },
    settled: running.settled,
  }
}

/** The attempts in flight, of all keys. */
interface Running {
  /** For how many more there is room. */
  readonly room: () => number
  /** Resolves with the attempt's result when it counts no more. */
  readonly add: <T>(attempt: Promise<T>) => Promise<T>
  /** Resolves when there are none left, of those that come meanwhile either. */
  readonly settled: () => Promise<void>
}

function createRunning(): Running {
  const running = new Set<Promise<unknown>>()
  return {
    room: () => MAX_IN_FLIGHT - running.size,
    add: (attempt) => {
      const counted = attempt.then((result) => {
        running.delete(counted)
        return result
      })
      running.add(counted)
      return counted
    },
    settled: async () => {
      while (running.size > 0) await Promise.all(running)
    },
  }
}
