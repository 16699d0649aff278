import { Failure } from '../core/failure.ts'
import type { Clock } from '../delivery/retry.ts'

/** Whether the fleet takes more events. Each relay counts them from time to time, so together they may exceed the limit a little. */
export interface Room {
  /** Why it takes no more; undefined if it does, or if that is not known yet. */
  check(): string | undefined
  /** Records how many this relay has added. */
  added(count: number): void
  stop(): Promise<void>
}

export interface RoomDeps {
  /** Counts pending events of the whole fleet, up to a limit. */
  readonly countPending: (most: number) => Promise<number>
  readonly limit: number
  readonly clock: Clock
  readonly onWarning: (message: string) => void
}

const MIN_WAIT_MS = 1000
const MAX_WAIT_MS = 60_000
/** A million events are counted in a second or less: the database should spend only a small part of its time on that. */
const PAUSE_FACTOR = 20
/** More than relays add in a second: the closer the limit, the more often they count. */
const EVENTS_PER_MS = 2

/** Counts nothing until it is asked for the first time. */
export function createRoom({ countPending, limit, clock, onWarning }: RoomDeps): Room {
  const stopping = new AbortController()
  let pending = 0
  let running: Promise<void> | undefined
  const reason = `the fleet is full: it keeps at most ${limit} events (PAGERDUTY_FLEET_LIMIT)`
  /** Returns how long it took. */
  const count = async (): Promise<number> => {
    const startedAtMs = clock.now()
    const wasFull = pending >= limit
    pending = await countPending(limit)
    if (pending >= limit && !wasFull) onWarning(reason)
    return clock.now() - startedAtMs
  }
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      let tookMs = 0
      try {
        tookMs = await count()
      } catch (error) {
        if (!(error instanceof Failure)) throw error // while the database is away, nothing is added to it
      }
      const leftMs = (limit - pending) / EVENTS_PER_MS
      const waitMs = Math.max(MIN_WAIT_MS, leftMs, tookMs * PAUSE_FACTOR)
      await clock.sleep(Math.min(MAX_WAIT_MS, waitMs), stopping.signal)
    }
  }
  return {
    check: () => {
      running ??= run()
      return pending >= limit ? reason : undefined
    },
    added: (events) => {
      pending += events
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
