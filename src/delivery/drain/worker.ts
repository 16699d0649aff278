import type { DrainDeps } from '../drain.ts'
import type { DueEvent } from '../spool.ts'
import { createAgenda } from './agenda.ts'
import { createAttempts } from './attempts.ts'
import type { KeyState } from './key-state.ts'
import { createKeyStates } from './key-states.ts'
import { lookForDue } from './look.ts'
import type { TroubleWatch } from './trouble.ts'

/** Attempts in flight at once, of all keys: each holds an event's bytes and a connection. */
const MAX_IN_FLIGHT = 256

/** Attempts what is due, as far as there is room, and writes down what came of it. */
export interface Worker {
  /**
   * Begins with what the spool holds, after another process has delivered, or none. False where the spool cannot be
   * written: then nothing is to be attempted, since nobody would know of it.
   */
  takeOver(): Promise<boolean>
  /** Looks for what other processes have added. */
  refresh(): void
  /** Begins with these keys. */
  lookAt(keyIds: Iterable<number>): void
  /** Starts the attempts for which there is room. Returns when there is more to do, on the spool's clock. */
  work(): number
  /** Forgets what is not needed any more. */
  tidy(): Promise<void>
  /** Whether nothing is attempted because results cannot be written. */
  isTroubled(): boolean
  /** Resolves when nothing is in flight. */
  settled(): Promise<void>
}

export interface WorkerHooks {
  /** There may be more to do than `work` said. */
  readonly wake: () => void
  readonly trouble: TroubleWatch
  /** Breaks off what is in flight; it stays pending. */
  readonly broken: AbortSignal
}

/** A worker that has not begun. */
export function createWorker(deps: DrainDeps, { wake, trouble, broken }: WorkerHooks): Worker {
  const { queue } = deps.spool
  const states = createKeyStates(queue, deps.ratePerMinute)
  const agenda = createAgenda()
  const inFlight = new Set<Promise<void>>()
  const lookAgain = (keyId: number): void => {
    agenda.addNow(keyId)
    wake()
  }
  const attempts = createAttempts(deps, { trouble, broken, lookAgain })

  const finish = (state: KeyState, isSettled: boolean): void => {
    // Most events are the only one of their key. Whatever comes to be due by a transaction is told by it.
    if (state.mayHaveMore || !isSettled) agenda.addNow(state.keyId)
    if ((agenda.nextAtMs() ?? Infinity) <= queue.now()) wake()
  }
  const start = (state: KeyState, event: DueEvent): void => {
    const running = attempts.make(state, event).then((isSettled) => {
      inFlight.delete(running)
      return finish(state, isSettled)
    })
    inFlight.add(running)
  }
  const serve = (keyId: number, nowMs: number): void => {
    const state = states.get(keyId)
    if (state === undefined) return
    const { events, againAtMs } = lookForDue(queue, state, nowMs, MAX_IN_FLIGHT - inFlight.size)
    for (const event of events) start(state, event)
    if (againAtMs !== undefined) agenda.addAt(keyId, againAtMs)
  }
  const refresh = (): void => {
    for (const { keyId, dueAtMs } of queue.dueKeys()) agenda.addAt(keyId, dueAtMs)
  }
  return {
    takeOver: async () => {
      agenda.clear()
      states.restart()
      const reason = await queue.mendDues()
      if (reason === undefined) refresh()
      else trouble.say(reason)
      return reason === undefined
    },
    refresh,
    lookAt: (keyIds) => {
      for (const keyId of keyIds) agenda.addNow(keyId)
    },
    work: () => {
      if (attempts.isTroubled()) return Infinity // until what is in flight is written down
      const nowMs = queue.now()
      agenda.take(nowMs, MAX_IN_FLIGHT - inFlight.size, (keyIds) =>
        queue.readTogether(() => keyIds.forEach((keyId) => serve(keyId, nowMs))),
      )
      return inFlight.size < MAX_IN_FLIGHT ? (agenda.nextAtMs() ?? Infinity) : Infinity
    },
    tidy: async () => {
      states.tidy()
      await queue.tidy()
    },
    isTroubled: () => attempts.isTroubled(),
    settled: () => allOf(inFlight),
  }
}

/** Resolves when there are none left, of those that come meanwhile either. */
async function allOf(running: ReadonlySet<Promise<void>>): Promise<void> {
  while (running.size > 0) await Promise.all(running)
}
