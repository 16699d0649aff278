import { Failure } from '../core/failure.ts'
import type { Clock } from '../delivery/retry.ts'
import type { DueListener, Progress, SpoolQueue } from '../spool/spool.ts'
import type { Engine, Rate } from './engine.ts'
import { createLeaseClock } from './lease-clock.ts'
import { startLeases, type Leases } from './leases.ts'
import { createMirror, type Mirror } from './mirror.ts'
import { PERMIT_MS } from './mirror-shelf.ts'
import { createSettling } from './settling.ts'
import { startTaking, type Taking } from './taking.ts'

/** The fleet as a worker sees it: a queue whose events this relay has the right to deliver. */
export interface FleetQueue extends SpoolQueue {
  /** How many keys this relay owns, and how long their leases last at least; undefined if it owns none. */
  ownership(): { readonly keysOwned: number; readonly leaseMs: number | undefined }
  /** Takes no more. Call before the worker stops. */
  halt(): Promise<void>
  /** Gives every key back. Call after the worker has stopped. */
  giveBack(): Promise<void>
}

export interface FleetQueueOptions {
  readonly engine: Engine
  readonly clock: Clock
  /** Names of configured keys that this relay can send with. */
  readonly names: readonly string[]
  /** How long one attempt may take. */
  readonly timeoutMs: number
  /** Attempts per minute and key, of all relays together. */
  readonly ratePerMinute: number
  /** Called with events that this relay has settled. */
  readonly onSettled: (progress: Progress) => void
}

/** An attempt may begin only if its lease lasts for as long as it may take; twice that leaves time for renewals. */
const LEASE_TIMEOUTS = 2
/** Shorter ones would be lost whenever the database is busy. */
const MIN_LEASE_MS = 5000
const MINUTE_MS = 60_000

/** What only a spool has to do: in a fleet the server does it, or it is not needed. */
const ELSEWHERE = {
  tryLock: () => Promise.resolve(true), // each key has a lock of its own: its lease
  releaseLock: () => undefined,
  readTogether: (work) => work(),
  hasForeignChanges: () => false, // what others add is taken, and reported by `onDue`
  hasEarlier: () => false, // a key has one name in a fleet
  deliveriesSince: () => [], // the server counts permits
  repairDueTimes: () => Promise.resolve(undefined),
} satisfies Partial<SpoolQueue>

/** Starts to claim keys and to take their events. */
export function startFleetQueue(options: FleetQueueOptions): FleetQueue {
  const { engine } = options
  const listeners = new Set<DueListener>()
  const { mirror, taking, leases, leaseNow } = startMirror(options, (keyIds) => {
    for (const listener of listeners) listener(keyIds, [])
  })
  const unlisten = engine.onDue((keyIds) => {
    if (mirror.noteDue(keyIds).length > 0) leases.claimSoon()
    taking.wake()
  })
  return {
    ...ELSEWHERE,
    ...createSettling({ engine, mirror, now, onSettled: options.onSettled, onRoom: () => taking.wake() }),
    now,
    key: (keyId) => mirror.key(keyId),
    dueKeys: () => mirror.keyIds().map((keyId) => ({ keyId, dueAtMs: 0 })),
    due: (keyId, kind, wanted) => {
      const due = mirror.due(keyId, kind, wanted)
      taking.wake()
      return due
    },
    mayAttempt: (event) => mirror.mayAttempt(event),
    clampDue: (latestMs, keyId) => {
      const lease = mirror.lease(keyId)
      return attempt(lease && engine.clampDue(lease, Math.max(0, latestMs - now())))
    },
    tidy: async () => void (await attempt(engine.tidy())),
    onDue: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    ownership: () => {
      const untilMs = mirror.leaseUntilMs()
      return {
        keysOwned: mirror.keyIds().length,
        leaseMs: untilMs === undefined ? undefined : Math.max(0, untilMs - leaseNow()),
      }
    },
    halt: async () => {
      unlisten()
      await taking.stop()
    },
    giveBack: () => leases.stop(),
  }
}

/** The worker's clock: milliseconds since 1970 when the process started, and from then on it never steps. */
function now(): number {
  return performance.timeOrigin + performance.now()
}

interface StartedMirror {
  readonly mirror: Mirror
  readonly taking: Taking
  readonly leases: Leases
  readonly leaseNow: () => number
}

/** @param onTaken called with keys that the worker should look at */
function startMirror(
  { engine, clock, names, timeoutMs, ratePerMinute }: FleetQueueOptions,
  onTaken: (keyIds: ReadonlySet<number>) => void,
): StartedMirror {
  const leaseNow = createLeaseClock()
  const toLocalMs = (serverMs: number, answeredMs: number): number => now() - (answeredMs - serverMs)
  const mirror = createMirror({ now: leaseNow, timeoutMs, toLocalMs })
  const shared = { engine, mirror, clock, now: leaseNow }
  const rate: Rate = { permits: ratePerMinute, windowMs: MINUTE_MS + PERMIT_MS }
  const taking = startTaking({ ...shared, rate, onTaken })
  const leaseMs = Math.max(MIN_LEASE_MS, LEASE_TIMEOUTS * timeoutMs)
  const leases = startLeases({ ...shared, leaseMs, names, onClaimed: () => taking.wake() })
  return { mirror, taking, leases, leaseNow }
}

/** Returns why the work failed, if the server could not do it. */
async function attempt(work: Promise<void> | undefined): Promise<string | undefined> {
  return await work?.then(() => undefined, reasonOf)
}

/** @throws the error if it is a bug */
function reasonOf(error: unknown): string {
  if (error instanceof Failure) return error.message
  throw error
}
