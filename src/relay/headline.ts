import { groupDigits } from '../core/group-digits.ts'
import type { SpoolCounts } from '../spool/spool.ts'

/** The relay's state in one sentence. */
export interface Headline {
  readonly state: 'ok' | 'waiting' | 'dead' | 'unavailable'
  readonly text: string
  readonly sinceMs?: number
}

export interface HeadlineFacts {
  /** Absent if nothing is kept. */
  readonly counts?: SpoolCounts
  /** Why no event can be taken. */
  readonly notReady?: string | undefined
  readonly oldestPending?: { readonly acceptedAtMs: number; readonly reason?: string } | undefined
  readonly oldestDead?: { readonly settledAtMs?: number } | undefined
  readonly nowMs: number
}

/** An event that has waited less than this is simply being sent. */
const BEING_SENT_MS = 5000

/** The sentence on top of the page. What somebody has to do comes first. */
export function headlineOf({ counts, notReady, oldestPending, oldestDead, nowMs }: HeadlineFacts): Headline {
  if (notReady !== undefined) return { state: 'unavailable', text: `No event can be accepted: ${notReady}` }
  if (counts === undefined)
    return { state: 'ok', text: 'This relay keeps no events: every caller gets PagerDuty’s own answer' }
  const { pending, dead } = counts
  const isWaiting =
    oldestPending !== undefined &&
    (oldestPending.reason !== undefined || nowMs - oldestPending.acceptedAtMs > BEING_SENT_MS)
  if (dead > 0) {
    const more = isWaiting ? `, and ${groupDigits(pending)} more ${pending === 1 ? 'waits' : 'wait'}` : ''
    return {
      state: 'dead',
      text: `${events(dead)} ${dead === 1 ? 'is' : 'are'} dead: retry or discard ${dead === 1 ? 'it' : 'them'}${more}`,
      ...(oldestDead?.settledAtMs !== undefined && { sinceMs: oldestDead.settledAtMs }),
    }
  }
  if (!isWaiting) return { state: 'ok', text: 'PagerDuty has every event' }
  const why = oldestPending.reason === undefined ? 'not tried yet' : oldestPending.reason
  return {
    state: 'waiting',
    text: `${events(pending)} ${pending === 1 ? 'waits' : 'wait'}: ${why}`,
    sinceMs: oldestPending.acceptedAtMs,
  }
}

function events(count: number): string {
  return `${groupDigits(count)} ${count === 1 ? 'event' : 'events'}`
}
