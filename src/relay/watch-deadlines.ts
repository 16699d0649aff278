import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Deadlines } from '../spool/deadlines.ts'
import type { Metrics } from './metrics.ts'

export interface WatchDeadlinesDeps {
  readonly deadlines: Deadlines
  readonly logger: Pick<Logger, 'error' | 'warn'>
  readonly metrics: Pick<Metrics, 'missed'>
  readonly signal: AbortSignal
}

/**
 * How long a relay that finds deadlines when it starts waits before it triggers anything: callers that could not reach
 * it may be about to report an outcome.
 */
const GRACE_MS = 5000
/** Other processes may add deadlines to the same spool. */
const POLL_MS = 1000
const SHORTEST_MS = 20

/** Triggers the alerts of deployments whose time is over, until the signal aborts. Never rejects. */
export async function watchDeadlines(deps: WatchDeadlinesDeps): Promise<void> {
  const { deadlines, logger, metrics, signal } = deps
  let problem: string | undefined
  const { open, overdue } = deadlines.counts()
  if (open + overdue > 0) await sleep(GRACE_MS, signal)
  while (!signal.aborted) {
    const expiry = await deadlines.expire()
    for (const { dedupKey, summary } of expiry.missed) {
      metrics.missed()
      logger.warn({ dedup_key: dedupKey, summary }, 'deployment is overdue; its failure alert is triggered')
    }
    if (expiry.problem !== undefined && expiry.problem !== problem)
      logger.error(`the alert of an overdue deployment cannot be triggered yet: ${expiry.problem}`)
    ;({ problem } = expiry)
    await sleep(Math.max(SHORTEST_MS, Math.min(POLL_MS, expiry.nextInMs ?? POLL_MS)), signal)
  }
}

async function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  await setTimeout(durationMs, undefined, { signal }).catch(() => undefined)
}
