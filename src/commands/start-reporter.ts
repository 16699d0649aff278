import type { Begun } from '../spool/deadlines.ts'

/** What watches the clock for a deployment; for a spool, the relay or `flush` that uses it. */
export type Watcher = 'relay' | 'fleet' | 'spool'

/** The answer to a report that a deployment has begun. */
export type StartAnswer =
  | {
      readonly outcome: 'accepted'
      /** When its time is over, ISO 8601; absent if nothing watches it. */
      readonly dueAt?: string
      /** What watches it. */
      readonly watcher: Watcher
      /** Whether it is kept if the process that watches the clock ends. */
      readonly isOnDisk: boolean
      /** Its outcome had been reported before. */
      readonly hasEnded: boolean
    }
  | {
      readonly outcome: 'refused' | 'undelivered'
      readonly status?: number
      readonly reason: string
      /** A setting is wrong, so trying again does not help. */
      readonly isConfiguration?: boolean
    }

/** Reports the start of one deployment to what watches the clock. Each further report says that it is still running. */
export interface StartReporter {
  /**
   * @param elapsedMs how long it has been running
   * @param budgetMs how long this may take, retries included
   */
  report(elapsedMs: number, budgetMs: number, signal: AbortSignal): Promise<StartAnswer>
  /** The request that `report` would make, for `--dry-run`. */
  describe(): Record<string, unknown>
  close(): Promise<void>
}

/** What is known about the spool or the fleet that was asked. */
export interface Asked {
  readonly watcher: Watcher
  /** Why it cannot keep one more deadline. */
  readonly full: string
  /** See `StartAnswer`. */
  readonly isConfiguration?: boolean
}

/** The answer of a spool or a fleet. */
export function toStartAnswer(begun: Begun, { watcher, full, isConfiguration = false }: Asked): StartAnswer {
  if (begun.kind === 'full') return { outcome: 'undelivered', reason: full }
  if (begun.kind === 'unavailable') return { outcome: 'undelivered', reason: begun.reason, isConfiguration }
  const dueInMs = begun.kind === 'running' ? begun.dueInMs : undefined
  return {
    outcome: 'accepted',
    watcher,
    ...(dueInMs !== undefined && { dueAt: new Date(Date.now() + dueInMs).toISOString() }),
    isOnDisk: true,
    hasEnded: begun.kind === 'ended',
  }
}
