import type { Clock } from '../../delivery/retry.ts'

/** Sleeping that can be cut short, once for all that rings in one turn of the event loop. */
export interface Alarm {
  /** Resolves in a later turn: after the time or a little earlier, or when it rings or has rung since the last wait. */
  wait(durationMs: number): Promise<void>
  ring(): void
}

/**
 * An alarm that has not rung. A sleep that is cut short goes on and ends a later wait, if that is not over yet: to break it
 * off and begin another would cost more than what an event's ring is for.
 * @param ending aborts when nothing is waited for any more
 */
export function createAlarm(clock: Clock, ending: AbortSignal): Alarm {
  let hasRung = false
  let wake: (() => void) | undefined
  let sleepsUntilMs = Number.POSITIVE_INFINITY

  const sleep = async (durationMs: number): Promise<void> => {
    const untilMs = clock.now() + durationMs
    if (sleepsUntilMs <= untilMs) return
    sleepsUntilMs = untilMs
    await clock.sleep(durationMs, ending)
    if (sleepsUntilMs === untilMs) sleepsUntilMs = Number.POSITIVE_INFINITY
    wake?.()
  }
  return {
    wait: (durationMs) =>
      new Promise((resolve) => {
        wake = () => {
          wake = undefined
          hasRung = false
          resolve()
        }
        if (hasRung || durationMs <= 0) setImmediate(() => wake?.())
        else void sleep(durationMs)
      }),
    ring: () => {
      if (hasRung) return
      hasRung = true
      setImmediate(() => wake?.())
    },
  }
}
