import { formatMs } from '../core/duration.ts'
import type { Log } from '../log.ts'

/** Says that a silent command is still running, since CIs end builds that say nothing (Codeship Pro: after 15 min). */
export interface Heartbeat {
  /** Begins to watch; without an interval it never says anything. */
  readonly start: (log: Log, intervalMs: number | undefined) => void
  /** The command has printed something. */
  readonly beat: () => void
  readonly stop: () => void
}

/** A heartbeat that does not beat yet. */
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
