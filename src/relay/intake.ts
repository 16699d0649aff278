import type { SpoolItem } from '../spool/spool.ts'
import type { Receipt } from './result.ts'

/** How long a caller is ready to wait. */
export interface Wait {
  readonly timeoutMs: number
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal
}

/** What takes events in: straight to PagerDuty, or into the spool. */
export interface Intake {
  /**
   * Takes events, all of one request. Never rejects.
   * @param wait how long the caller is ready to wait for the outcome where events are spooled; absent: not at all
   * @returns a receipt an event, in their order
   */
  take(items: readonly SpoolItem[], wait?: Wait): Promise<Receipt[]>
  /** Lets what is in flight finish for `graceMs`, breaks it off after that, and gives up connections and files. */
  close(graceMs: number): Promise<void>
}
