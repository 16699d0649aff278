import { Failure } from '../core/failure.ts'
import type { Clock } from '../delivery/retry.ts'
import type { Engine, Introduction } from './engine.ts'
import { findConflicts } from './member-conflicts.ts'

/** Announces this process to the others of the fleet, again and again. */
export interface Presence {
  /** Stops, and tells the others. */
  stop(): Promise<void>
}

export interface PresenceDeps {
  readonly engine: Pick<Engine, 'introduce' | 'leave'>
  readonly clock: Clock
  /** What this process is now: a key may be looked up later. */
  readonly self: () => Introduction
  /** Called once with each conflict between the settings of relays. */
  readonly onWarning: (message: string) => void
}

const AGAIN_MS = 5000

/** Starts at once. */
export function startPresence({ engine, clock, self, onWarning }: PresenceDeps): Presence {
  const stopping = new AbortController()
  let warned = new Set<string>()
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const conflicts = findConflicts(await engine.introduce(self()))
        for (const conflict of conflicts) if (!warned.has(conflict)) onWarning(conflict)
        warned = new Set(conflicts)
      } catch (error) {
        if (!(error instanceof Failure)) throw error // the state of the engine says why
      }
      await clock.sleep(AGAIN_MS, stopping.signal)
    }
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      await running
      await engine.leave().catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error // others find out in 30 s
      })
    },
  }
}
