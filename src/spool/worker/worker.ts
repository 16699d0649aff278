import { createAlarm } from './wake-up.ts'
import { createLeaseKeeper } from './lease-keeper.ts'
import type { Drain, DrainDeps } from './types.ts'
import { createTroubleWatch } from './store-health.ts'
import { createWorker } from './dispatch.ts'

/** How often it is looked whether another process has added events, or has stopped delivering. */
const POLL_MS = 250
/** How long to wait after the spool could not be read. */
const TROUBLE_MS = 1000
const TIDY_MS = 10 * 60_000

/** Begins to deliver a spool, now or when no other process does any more. */
export function startDrain(deps: DrainDeps): Drain {
  const { spool, clock, events } = deps
  const { queue } = spool
  const stopping = new AbortController()
  const breaking = new AbortController()
  const alarm = createAlarm(clock, stopping.signal)
  const wake = (): void => alarm.ring()
  const trouble = createTroubleWatch(events.onTrouble)
  const worker = createWorker(deps, { wake, trouble, broken: breaking.signal })
  const isTimeToPoll = createInterval(() => queue.now(), POLL_MS)
  const isTimeToTidy = createInterval(() => queue.now(), TIDY_MS)
  const lease = createLeaseKeeper(queue, {
    onTaken: () => worker.takeOver(),
    onLease: events.onLease,
  })

  /** One look at the spool. Returns for how long nothing happens by itself. */
  const turn = async (): Promise<number> => {
    try {
      if (!(await lease.ensure())) return POLL_MS
      if (isTimeToPoll() && queue.hasForeignChanges()) worker.refresh()
      if (isTimeToTidy()) await worker.tidy()
      const untilMs = worker.work()
      if (queue.unwritten() > 0) void queue.settle([])
      else trouble.clear()
      return Math.min(POLL_MS, untilMs - queue.now())
    } catch (error) {
      trouble.explain(error)
      return TROUBLE_MS
    }
  }
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) await alarm.wait(await turn())
  }
  const unlisten = queue.onDue((keyIds) => {
    worker.lookAt(keyIds)
    alarm.ring()
  })
  const running = run()
  return {
    isDelivering: () => lease.isHeld(),
    obstacle: () => lease.obstacle(),
    stop: async (graceMs) => {
      stopping.abort()
      alarm.ring()
      unlisten()
      await running
      const grace = new AbortController()
      await Promise.race([worker.settled(), clock.sleep(graceMs, grace.signal)])
      grace.abort()
      breaking.abort()
      await worker.settled()
      lease.release()
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
