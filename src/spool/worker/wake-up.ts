import type { Clock } from '../../delivery/retry.ts'

/** A sleep that can be cut short, once per turn of the event loop however often it is triggered. */
export interface WakeUp {
  /** Resolves in a later turn: after about that time, or when triggered, or if triggered since the last wait. */
  wait(durationMs: number): Promise<void>
  trigger(): void
}

/**
 * A wake-up that nothing has triggered yet. A trigger does not cancel the timer, which may end a later wait early:
 * replacing the timer for each event costs more than an early wake-up.
 * @param ending aborts when nothing waits for it
 */
export function createWakeUp(clock: Clock, ending: AbortSignal): WakeUp {
  let isTriggered = false
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
          isTriggered = false
          resolve()
        }
        if (isTriggered || durationMs <= 0) setImmediate(() => wake?.())
        else void sleep(durationMs)
      }),
    trigger: () => {
      if (isTriggered) return
      isTriggered = true
      setImmediate(() => wake?.())
    },
  }
}
