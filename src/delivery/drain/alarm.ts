import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../deliver.ts'

/** Sleeping that can be cut short, once for all that rings in one turn of the event loop. */
export interface Alarm {
  /** Resolves in a later turn: after the time, or when it rings or has rung since the last wait. */
  wait(durationMs: number): Promise<void>
  ring(): void
}

export function createAlarm(clock: Clock): Alarm {
  let hasRung = false
  let sleeper: AbortController | undefined
  return {
    wait: async (durationMs) => {
      if (hasRung || durationMs <= 0) await nextTurn()
      else {
        sleeper = new AbortController()
        await clock.sleep(durationMs, sleeper.signal)
        sleeper = undefined
      }
      hasRung = false
    },
    ring: () => {
      if (hasRung) return
      hasRung = true
      setImmediate(() => sleeper?.abort())
    },
  }
}
