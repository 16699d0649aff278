/** What watches the time of a deployment; a spool through the relay or `flush` that uses it. */
export type Watcher = 'relay' | 'fleet' | 'spool'

/** The answer to telling that a deployment has begun. */
export type ToldStart =
  | {
      readonly outcome: 'accepted'
      /** When its time is over, ISO 8601; absent if nothing watches it. */
      readonly dueAt?: string
      /** What watches it. */
      readonly watcher: Watcher
      /** Whether that outlives the process that watches the time. */
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

/** Tells what watches the time of deployments that one has begun, as often as it is called. */
export interface StartTeller {
  /**
   * @param elapsedMs how long it has been running
   * @param budgetMs how long this may take, retries included
   */
  tell(elapsedMs: number, budgetMs: number, signal: AbortSignal): Promise<ToldStart>
  /** The request that `tell` would make, for `--dry-run`. */
  describe(): Record<string, unknown>
  close(): Promise<void>
}
