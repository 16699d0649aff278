import { createWakeUp } from './wake-up.ts'
import { createLockKeeper } from './delivery-lock.ts'
import type { Worker, WorkerDeps } from './types.ts'
import { createStoreHealth } from './store-health.ts'
import { createDispatcher } from './dispatch.ts'

/** How often it is looked whether another process has added events, or has stopped delivering. */
const POLL_MS = 250
/** How long to wait after the spool could not be read. */
const RETRY_MS = 1000
const TIDY_MS = 10 * 60_000

/** Begins to deliver a spool, now or when no other process does any more. */
export function startWorker(deps: WorkerDeps): Worker {
  const { spool, clock, events } = deps
  const { queue } = spool
  const stopping = new AbortController()
  const breaking = new AbortController()
  const wakeUp = createWakeUp(clock, stopping.signal)
  const wake = (): void => wakeUp.trigger()
  const storeHealth = createStoreHealth(events.onStoreProblem)
  const dispatcher = createDispatcher(deps, { wake, storeHealth, broken: breaking.signal })
  const isTimeToPoll = createInterval(() => queue.now(), POLL_MS)
  const isTimeToTidy = createInterval(() => queue.now(), TIDY_MS)
  const lock = createLockKeeper(queue, {
    onTaken: () => dispatcher.takeOver(),
    onLock: events.onLock,
  })

  /** One look at the spool. Returns for how long nothing happens by itself. */
  const turn = async (): Promise<number> => {
    try {
      if (!(await lock.ensure())) return POLL_MS
      if (isTimeToPoll() && queue.hasForeignChanges()) dispatcher.refresh()
      if (isTimeToTidy()) await dispatcher.tidy()
      const untilMs = dispatcher.work()
      if (queue.unwritten() > 0) void queue.settle([])
      else storeHealth.recovered()
      return Math.min(POLL_MS, untilMs - queue.now())
    } catch (error) {
      storeHealth.failedWith(error)
      return RETRY_MS
    }
  }
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) await wakeUp.wait(await turn())
  }
  const unlisten = queue.onDue((keyIds) => {
    dispatcher.lookAt(keyIds)
    wakeUp.trigger()
  })
  const running = run()
  return {
    isDelivering: () => lock.isHeld(),
    obstacle: () => lock.obstacle(),
    stop: async (graceMs) => {
      stopping.abort()
      wakeUp.trigger()
      unlisten()
      await running
      const grace = new AbortController()
      await Promise.race([dispatcher.settled(), clock.sleep(graceMs, grace.signal)])
      grace.abort()
      breaking.abort()
      await dispatcher.settled()
      lock.release()
    },
  }
}

/** Says yes once in every interval; the first time is after one. */
function createInterval(now: () => number, intervalMs: number): () => boolean {
  let lastMs = now()
  return () => {
    if (now() - lastMs < intervalMs) return false
    lastMs = now()
    return true
  }
}
