import type { Secret } from '../core/secret.ts'
import type { Clock } from './deliver.ts'
import type { Resolve } from './spool-keys.ts'
import type { DeadCause, DueEvent, Spool, SpoolKey } from './spool.ts'
import type { Transport } from './transport.ts'
import { createAlarm } from './drain/alarm.ts'
import { createLeaseKeeper } from './drain/lease-keeper.ts'
import { createTroubleWatch } from './drain/trouble.ts'
import { createWorker } from './drain/worker.ts'

/** An attempt's result as logs and metrics want it. `event.body` is not to be logged. */
export interface DrainReport {
  readonly event: DueEvent
  readonly key: SpoolKey
  /** Attempts made by now, this one included. */
  readonly attempts: number
  /** Time that the attempt took. */
  readonly attemptMs: number
  /** Time since the event was accepted. */
  readonly ageMs: number
  readonly httpStatus?: number
}

/** What a drain tells. Every callback is synchronous and must not throw. */
export interface DrainEvents {
  /** PagerDuty has it, and that is written down, or remembered until it can be. */
  readonly onDelivered: (report: DrainReport) => void
  /** It is tried again after `delayMs` at the earliest. */
  readonly onRetry: (report: DrainReport & { readonly reason: string; readonly delayMs: number }) => void
  /** It is parked. */
  readonly onDead: (report: DrainReport & { readonly reason: string; readonly cause: DeadCause }) => void
  /** This process has begun to deliver, or found at its first look that another one does. */
  readonly onLease: (isHeld: boolean) => void
  /** The spool cannot be written or read; said once until it works again, which is said with undefined. */
  readonly onTrouble: (reason: string | undefined) => void
}

export interface DrainDeps {
  readonly spool: Spool
  readonly transport: Transport
  readonly clock: Clock
  /** Where a key's events go; while that is nowhere they wait. */
  readonly resolve: Resolve
  readonly userAgent: string
  /** Budget of one attempt. */
  readonly timeoutMs: number
  /** How long an event may fail before it is parked as dead. */
  readonly maxAgeMs: number
  /** Attempts per minute and key; Infinity for none. */
  readonly ratePerMinute: number
  /** Masked in whatever a server says. */
  readonly secrets: readonly Secret[]
  readonly events: DrainEvents
}

/** Delivers a spool, as long as no other process does. */
export interface Drain {
  /** Whether this process holds the lease. */
  isDelivering(): boolean
  /** Why nobody may deliver as far as this process can tell; undefined where it does or another one may. */
  obstacle(): string | undefined
  /**
   * Starts no more attempts, lets those in flight finish for `graceMs` and breaks them off after that, writes down what
   * came of them, and gives up the lease. What is left stays in the spool.
   */
  stop(graceMs: number): Promise<void>
}

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
