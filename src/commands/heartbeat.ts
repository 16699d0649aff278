import { formatMs } from '../core/duration.ts'
import type { Log } from '../log.ts'

/** Logs that a silent command is still running, since CIs end builds that print nothing (Codeship Pro: after 15 min). */
export interface Heartbeat {
  /** Starts the timer; without an interval nothing is ever logged. */
  readonly start: (log: Log, intervalMs: number | undefined) => void
  /** The command has printed something. */
  readonly beat: () => void
  readonly stop: () => void
}

/** A heartbeat that is not started yet. */
export function createHeartbeat(): Heartbeat {
  const startedAtMs = performance.now()
  let timer: NodeJS.Timeout | undefined
  return {
    start: (log, intervalMs) => {
      if (intervalMs === undefined) return
      timer = setInterval(() => {
        log.info(`the command is still running after ${formatMs(performance.now() - startedAtMs)}`)
      }, intervalMs)
    },
    beat: () => void timer?.refresh(),
    stop: () => clearInterval(timer),
  }
}
