import type { Io } from '../cli/session.ts'
import { EXIT_CODE } from '../core/failure.ts'
import { ENDING_SIGNALS, type Ending, type Supervised } from '../run/supervise.ts'

/**
 * How long a cancelled command may take to end before its cancellation is reported. Together with the report it fits
 * into the 10 s that Docker leaves between SIGTERM and SIGKILL.
 */
const CANCEL_WAIT_MS = 4000

/**
 * Signals that are passed on besides those that every command here handles: those that would end only this process and
 * leave the command unwatched, and two that terminals send. Signals that report a fault of this process are not listed.
 */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGVTALRM',
  'SIGPROF',
  'SIGIO',
  'SIGPWR',
  'SIGXCPU',
  'SIGSTKFLT',
  'SIGWINCH',
  'SIGCONT',
]

/** What happened to the signals that this process received. */
export interface SignalWatch {
  /**
   * Whether the command was cancelled: asked to end while it ran, or killed by another signal that we passed on.
   * @param ending undefined while it runs
   */
  readonly isCancelled: (ending: Ending | undefined) => boolean
  /** Resolves if a command that was asked to end is still running after `CANCEL_WAIT_MS`. */
  readonly overdue: Promise<undefined>
  /** To be called when the command has ended: from then on signals end the report. */
  readonly commandEnded: () => void
  /** Aborts when the configuration must be read at once: a file that is not read by then counts as missing. */
  readonly stopReading: AbortSignal
  /** Aborts when the report has to end; the reason is its exit status. */
  readonly stopReporting: AbortSignal
}

/**
 * Passes signals on to the command while it runs, and remembers them.
 * @param forward passes one on, as `Supervised` does; not called before the next turn of the event loop
 */
export function watchSignals(io: Io, forward: Supervised['forward']): SignalWatch {
  const seen = new Set<string>()
  let isAsked = false
  let hasEnded = false
  const stopReporting = new AbortController()
  const stopReading = new AbortController()
  const overdue = new Promise<undefined>((resolve) => {
    io.takeSignals((signal) => {
      const asksToEnd = ENDING_SIGNALS.has(signal)
      if (hasEnded) {
        if (!asksToEnd) return
        stopReading.abort()
        return stopReporting.abort(EXIT_CODE.undelivered)
      }
      seen.add(signal)
      const isFirst = asksToEnd && !isAsked
      isAsked ||= asksToEnd
      // Ctrl-C is not followed by SIGKILL after 10 s, so let the command prompt or clean up.
      const isForwarded = forward(signal)
      if (!isFirst || !isForwarded) return
      setTimeout(() => {
        stopReading.abort()
        resolve(undefined)
      }, CANCEL_WAIT_MS).unref()
    }, FORWARDED)
  })
  return {
    isCancelled: (ending) => isAsked || (ending?.kind === 'killed' && seen.has(ending.signal)),
    overdue,
    commandEnded: () => (hasEnded = true),
    stopReading: stopReading.signal,
    stopReporting: stopReporting.signal,
  }
}
