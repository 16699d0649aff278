import { Failure } from '../core/failure.ts'
import type { Clock } from '../delivery/retry.ts'
import { createWakeUp } from '../spool/worker/wake-up.ts'
import type { EngineDelivery, Rate } from './engine.ts'
import type { Mirror } from './mirror.ts'

/** Takes due events of owned keys, as many as may be attempted soon. */
export interface Taking {
  /** Call when there may be something to take, or room for it. */
  wake(): void
  stop(): Promise<void>
}

export interface TakingDeps {
  readonly engine: Pick<EngineDelivery, 'take'>
  readonly mirror: Mirror
  readonly clock: Clock
  /** The lease's clock. */
  readonly now: () => number
  readonly rate: Rate
  /** Called with keys that have something to attempt, or should say whether they could attempt anything. */
  readonly onTaken: (keyIds: ReadonlySet<number>) => void
}

/** How long to wait after the server could not be reached. */
const RETRY_MS = 250
const MAX_WAIT_MS = 250
/** How many events there must be room for: a statement costs as much as many events. */
const MIN_ROOM = 64

/** Starts at once. */
export function startTaking({ engine, mirror, clock, now, rate, onTaken }: TakingDeps): Taking {
  const stopping = new AbortController()
  const wakeUp = createWakeUp(clock, stopping.signal)
  const take = async (): Promise<boolean> => {
    const room = mirror.room()
    const keys = room >= MIN_ROOM ? mirror.requests(room) : []
    if (keys.length === 0) return false
    const askedAtMs = now()
    const taken = await engine.take({ keys, room, busy: mirror.heldIds(), rate })
    const ready = mirror.accept(taken, askedAtMs)
    if (ready.size > 0) onTaken(ready)
    return ready.size > 0
  }
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const paused = mirror.unwanted()
      if (paused.size > 0) onTaken(paused)
      try {
        const waitMs = (await take()) ? 0 : mirror.room() >= MIN_ROOM ? mirror.askAtMs() - now() : MAX_WAIT_MS
        await wakeUp.wait(Math.min(MAX_WAIT_MS, waitMs))
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        await clock.sleep(RETRY_MS, stopping.signal)
      }
    }
  }
  const running = run()
  return {
    wake: () => wakeUp.trigger(),
    stop: async () => {
      stopping.abort()
      wakeUp.trigger()
      await running
    },
  }
}
