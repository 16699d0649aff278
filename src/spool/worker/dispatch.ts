import type { Event } from '../../core/event.ts'
import type { Due, DueEvent, DueOptions, SpoolQueue } from '../spool.ts'
import { createAdded } from './added.ts'
import { createAttempt, type Attempt } from './attempt.ts'
import { isProbing, roomAtMs, roomOf, roomOfKind, type KeyState } from './key-state.ts'
import { createKeyStates } from './key-states.ts'
import { createRunning, type Running } from './running.ts'
import { createSchedule, type Schedule } from './schedule.ts'
import type { StoreHealth } from './store-health.ts'
import type { KeyReport, WorkerDeps } from './types.ts'

/** Starts the attempts that are due, as many as there is room for. */
export interface Dispatcher {
  /** Starts from what the spool holds, after another process has delivered or none has. */
  takeOver(): Promise<void>
  /** Looks for events that other processes have added. */
  refresh(): void
  /** Looks at these keys next. */
  lookAt(keyIds: Iterable<number>): void
  /** Attempts events that were just added without reading them again, if nothing else has to come first. */
  offer(events: readonly DueEvent[]): void
  /** Starts attempts. Returns when there will be more to do, on the spool's clock. */
  dispatch(): number
  /** The state of each key that recently had something to deliver. */
  keys(): KeyReport[]
  /** Forgets state and rows that are no longer needed. */
  tidy(): Promise<void>
  /** Resolves when nothing is in flight. */
  settled(): Promise<void>
}

export interface DispatcherHooks {
  /** Called when there may be more to do than `dispatch` returned. */
  readonly wake: () => void
  readonly storeHealth: StoreHealth
  /** Aborts attempts in flight; their events stay pending. */
  readonly signal: AbortSignal
}

/** A dispatcher that has nothing to do yet. */
export function createDispatcher(
  deps: WorkerDeps,
  { wake, storeHealth, signal }: DispatcherHooks,
): Dispatcher {
  const { queue } = deps.spool
  const schedule = createSchedule()
  const running = createRunning()
  const lookAgain = (keyId: number): void => {
    schedule.addNow(keyId)
    wake()
  }
  const states = createKeyStates({ ...deps, queue, lookAgain })
  const attempt = createAttempt(deps, { storeHealth, signal, lookAgain })

  const { startOne, startDue } = createStart({ queue, schedule, running, attempt, wake })
  const added = createAdded({ schedule, states, running, startOne })
  const refresh = (): void => {
    for (const { keyId, dueAtMs } of queue.dueKeys()) {
      states.prepare(keyId) // all names of a secret must be known before the events of one name are read
      schedule.addAt(keyId, dueAtMs)
    }
  }
  return {
    takeOver: async () => {
      schedule.clear()
      added.clear()
      states.restart()
      const reason = await queue.repairDueTimes()
      if (reason !== undefined) storeHealth.failed(reason)
      refresh()
    },
    refresh,
    lookAt: (keyIds) => Iterator.from(keyIds).forEach((keyId) => schedule.addNow(keyId)),
    offer: (events) => added.offer(events),
    dispatch: () => {
      const nowMs = queue.now()
      added.start(nowMs)
      schedule.take(nowMs, running.room(), (keyIds) => {
        if (keyIds.length === 0) return
        queue.readTogether(() => {
          for (const keyId of keyIds) states.prepare(keyId)
          for (const keyId of keyIds) {
            const state = states.get(keyId)
            if (state !== undefined) startDue(state, keyId, nowMs)
          }
        })
      })
      return running.room() > 0 ? (schedule.nextAtMs() ?? Infinity) : Infinity
    },
    tidy: async () => {
      states.tidy()
      await queue.tidy()
    },
    keys: () => states.reports(),
    settled: running.settled,
  }
}

interface StartParts {
  readonly queue: SpoolQueue
  readonly schedule: Schedule
  readonly running: Running
  readonly attempt: Attempt
  readonly wake: () => void
}

interface Start {
  readonly startOne: (state: KeyState, event: DueEvent) => Promise<void>
  /** Starts the due attempts of a key, as many as there is room for. */
  readonly startDue: (state: KeyState, keyId: number, nowMs: number) => void
}

function createStart({ queue, schedule, running, attempt, wake }: StartParts): Start {
  const startOne = async (state: KeyState, event: DueEvent): Promise<void> => {
    const isSettled = await running.add(attempt(state, event))
    // Most events are the only one of their key. A transaction that makes others due calls the queue's listeners.
    if (state.mayHaveMore || !isSettled) schedule.addNow(event.keyId)
    if ((schedule.nextAtMs() ?? Infinity) <= queue.now()) wake()
  }
  return {
    startOne,
    startDue: (state, keyId, nowMs) => {
      const { events, againAtMs } = findDue(queue, state, nowMs, running.room())
      for (const event of events) void startOne(state, event)
      if (againAtMs !== undefined) schedule.addAt(keyId, againAtMs)
    },
  }
}

interface FoundDue {
  /** The events to attempt now. */
  readonly events: readonly DueEvent[]
  /**
   * When to look again, on the spool's clock: 0 as soon as there is room; undefined if there is no need to until one of the
   * key's attempts ends or a new event arrives.
   */
  readonly againAtMs: number | undefined
}

/**
 * Finds a key's events to attempt now, alerts before change events, and notes whether there may be more.
 * @param most how many attempts may start, of all keys
 */
function findDue(queue: SpoolQueue, state: KeyState, nowMs: number, most: number): FoundDue {
  const events: DueEvent[] = []
  const agains: (number | undefined)[] = []
  state.mayHaveMore = false
  for (const kind of ['alert', 'change'] as const) {
    const classes = { fresh: { kind, lane: 'fresh' }, tried: { kind, lane: 'tried' } } as const
    for (const keyId of state.keys.keys()) {
      const left = (room: number): number => Math.max(0, Math.min(room, most) - events.length)
      const options = {
        nowMs,
        fresh: left(roomOf(state, classes.fresh, nowMs)),
        tried: left(roomOf(state, classes.tried, nowMs)),
        limit: left(roomOfKind(state, kind, nowMs)),
        exclude: state.inFlight,
        isNewestFirst: isProbing(state, kind) && state.isNewestNext,
      }
      const due = findInOrder(queue, state, { keyId, kind }, options)
      if (isProbing(state, kind) && due.events.some(isFresh)) state.isNewestNext = !state.isNewestNext
      events.push(...due.events)
      agains.push(due.nextAtMs)
      if (!due.isMore) continue
      state.mayHaveMore = true
      agains.push(roomAtMs(state, classes.fresh, nowMs), roomAtMs(state, classes.tried, nowMs))
      if (events.length >= most) agains.push(0)
    }
  }
  const known = agains.filter((atMs) => atMs !== undefined)
  return { events, againAtMs: known.length === 0 ? undefined : Math.min(...known) }
}

/** How many times to look for other events instead of those that must wait. */
const MAX_LOOKS = 10

/** The due events of one key in the spool, except those that wait for an event of their alert under the key's other names. */
function findInOrder(
  queue: SpoolQueue,
  { keys }: KeyState,
  { keyId, kind }: { readonly keyId: number; readonly kind: Event['kind'] },
  options: DueOptions,
): Due {
  const due = queue.due(keyId, kind, options)
  if (keys.size === 1 || kind === 'change') return due
  const others = [...keys.keys()].filter((other) => other !== keyId)
  const isBehind = ({ id, dedupKey }: DueEvent): boolean =>
    dedupKey !== undefined && others.some((other) => queue.hasEarlier(other, dedupKey, id))
  const exclude = new Set(options.exclude)
  let found = due
  for (let looks = 1; looks < MAX_LOOKS && found.events.some(isBehind); looks++) {
    for (const event of found.events.filter(isBehind)) exclude.add(event.id)
    found = queue.due(keyId, kind, { ...options, exclude })
  }
  const events = found.events.filter((event) => !isBehind(event))
  return { ...found, events, isMore: found.isMore || exclude.size > options.exclude.size }
}

function isFresh({ attempts }: DueEvent): boolean {
  return attempts === 0
}
