import { meaningOf } from '../core/outcome.ts'
import type { AddResult, Progress, Spool, SpoolItem } from '../spool/spool.ts'
import type { Intake } from './context.ts'
import { RELAY_LIMITS } from './limits.ts'
import type { Metrics } from './metrics.ts'
import type { EventResult } from './result.ts'

export interface SpooledDeps {
  readonly spool: Spool
  readonly metrics: Metrics
  /** Why queued events could not be delivered, by this process or another; undefined if they could. */
  readonly obstacle: () => string | undefined
  /** Stops the delivery within `graceMs` and closes its connections; the spool is closed afterwards. */
  readonly stopDelivery: (graceMs: number) => Promise<void>
}

/** With a spool: an event is accepted once it is synced to disk, and delivered in the background. */
export function createSpooledIntake({ spool, metrics, obstacle, stopDelivery }: SpooledDeps): Intake {
  const closing = new AbortController()
  return {
    take: async (items, wait) => {
      const why = obstacle()
      if (why !== undefined) return items.map((item) => turnAway(item, `the spool accepts nothing: ${why}`))
      const result = await spool.add(items)
      if (result.kind !== 'added') return notAdded(items, result)
      for (const { event } of items) metrics.accepted(event.kind)
      if (wait === undefined) return items.map(({ event }) => ({ kind: 'queued', event }))
      const signal = AbortSignal.any([wait.signal, closing.signal])
      const progress = await spool.waitFor(result.ids, wait.timeoutMs, signal)
      return items.map((item, index) => resultOf(item, progress[index]))
    },
    close: async (graceMs) => {
      await stopDelivery(graceMs)
      closing.abort() // callers that still wait get the answer that the event is queued
      await spool.close()
    },
  }
}

/** The results of events that were not kept. */
export function notAdded(
  items: readonly SpoolItem[],
  result: Exclude<AddResult, { kind: 'added' }>,
): EventResult[] {
  const reason =
    result.kind === 'full'
      ? `the spool is full: it keeps at most ${result.limit} events (PAGERDUTY_SPOOL_LIMIT)`
      : `the spool accepts nothing: ${result.reason}`
  return items.map((item) => turnAway(item, reason))
}

/** The result of an event that is not kept now, and may be later. */
export function turnAway({ event }: SpoolItem, reason: string): EventResult {
  return {
    kind: 'turned-away',
    event,
    status: 503,
    reason,
    retryAfterSeconds: RELAY_LIMITS.spoolRetrySeconds,
  }
}

/** The result of an event whose caller waited. What only concerns our connection, such as a redirect, is a 502 to it. */
export function resultOf({ event }: SpoolItem, progress: Progress | undefined): EventResult {
  if (progress?.status === 'delivered')
    return { kind: 'delivered', event, status: progress.httpStatus ?? 202 }
  if (progress?.status === 'dead') {
    const { httpStatus = 502, reason = '' } = progress
    return { kind: 'dead', event, status: meaningOf(httpStatus).isOurs === true ? 502 : httpStatus, reason }
  }
  return { kind: 'queued', event }
}
