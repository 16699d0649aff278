import type { SpoolQueue } from '../spool.ts'
import { createLockKeeper, type LockKeeper } from './delivery-lock.ts'
import { createDispatcher, type Dispatcher } from './dispatch.ts'
import { createStoreHealth, type StoreHealth } from './store-health.ts'
import type { Worker, WorkerDeps } from './types.ts'
import { createWakeUp } from './wake-up.ts'

/** How often to check whether another process has added events or stopped delivering. */
const POLL_MS = 250
/** How long to wait after the spool could not be read. */
const RETRY_MS = 1000
const TIDY_MS = 10 * 60_000

/** Starts to deliver a spool, now or when no other process delivers it. */
export function startWorker(deps: WorkerDeps): Worker {
  const { spool, clock, events } = deps
  const { queue } = spool
  const stopping = new AbortController()
  const aborting = new AbortController()
  const wakeUp = createWakeUp(clock, stopping.signal)
  const wake = (): void => wakeUp.trigger()
  const storeHealth = createStoreHealth(events.onStoreProblem)
  const dispatcher = createDispatcher(deps, { wake, storeHealth, signal: aborting.signal })
  const lock = createLockKeeper(queue, {
    onTaken: () => dispatcher.takeOver(),
    onLock: events.onLock,
  })
  const turn = createTurn({ queue, lock, dispatcher, storeHealth })
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) await wakeUp.wait(await turn())
  }
  const unlisten = queue.onDue((keyIds, fresh) => {
    dispatcher.lookAt(keyIds)
    if (lock.isHeld()) dispatcher.offer(fresh)
    else dispatcher.lookAt(fresh.map(({ keyId }) => keyId))
    wake()
  })
  const running = run()
  return {
    isDelivering: () => lock.isHeld(),
    keys: () => (lock.isHeld() ? dispatcher.keys() : []),
    obstacle: () => lock.obstacle(),
    stop: async (graceMs) => {
      stopping.abort()
      wake()
      unlisten()
      await running
      const grace = new AbortController()
      await Promise.race([dispatcher.settled(), clock.sleep(graceMs, grace.signal)])
      grace.abort()
      aborting.abort()
      await dispatcher.settled()
      lock.release()
    },
  }
}

interface TurnParts {
  readonly queue: SpoolQueue
  readonly lock: LockKeeper
  readonly dispatcher: Dispatcher
  readonly storeHealth: StoreHealth
}

/** A function that does the work that is due now, and returns how long to wait before the next turn. */
function createTurn({ queue, lock, dispatcher, storeHealth }: TurnParts): () => Promise<number> {
  const isTimeToPoll = createInterval(() => queue.now(), POLL_MS)
  const isTimeToTidy = createInterval(() => queue.now(), TIDY_MS)
  return async () => {
    try {
      if (!(await lock.ensure())) return POLL_MS
      if (isTimeToPoll() && queue.hasForeignChanges()) dispatcher.refresh()
      if (isTimeToTidy()) await dispatcher.tidy()
      const untilMs = dispatcher.dispatch()
      if (queue.unwritten() > 0) void queue.settle([])
      else storeHealth.recovered()
      return Math.min(POLL_MS, untilMs - queue.now())
    } catch (error) {
      storeHealth.failedWith(error)
      return RETRY_MS
    }
  }
}

/** Returns true once per interval, for the first time after one interval. */
function createInterval(now: () => number, intervalMs: number): () => boolean {
  let lastMs = now()
  return () => {
    if (now() - lastMs < intervalMs) return false
    lastMs = now()
    return true
  }
}
