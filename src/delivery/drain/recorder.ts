import type { Clock } from '../deliver.ts'
import type { Settlement, SpoolQueue } from '../spool.ts'
import type { TroubleWatch } from './trouble.ts'

/** Writes down what came of attempts, for as long as that takes. */
export interface Recorder {
  /** False where it was broken off before it was written. */
  record(settlement: Settlement): Promise<boolean>
  /** Whether results cannot be written: then nothing more should be attempted, since nobody would know of it. */
  isTroubled(): boolean
}

export interface RecorderDeps {
  readonly queue: SpoolQueue
  readonly clock: Clock
  readonly trouble: TroubleWatch
  /** Ends the waiting. */
  readonly broken: AbortSignal
}

/** How long to wait before results that could not be written are written again. */
const REWRITE_MS = 500

export function createRecorder({ queue, clock, trouble, broken }: RecorderDeps): Recorder {
  let unwritten = 0
  const record = async (settlement: Settlement): Promise<boolean> => {
    for (;;) {
      const reason = await queue.settle([settlement])
      if (reason === undefined) return true
      trouble.say(reason)
      if (broken.aborted) return false
      unwritten++
      await clock.sleep(REWRITE_MS, broken)
      unwritten--
    }
  }
  return { record, isTroubled: () => unwritten > 0 }
}
