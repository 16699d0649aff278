import { delayMs, type Backoff } from '../../core/backoff.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { DueEvent, Settlement } from '../spool.ts'

/** After so many attempts, an hour or less, retries go on at longer intervals. */
const PATIENT_ATTEMPTS = 12
const SLOW: Backoff = { firstMs: 1000, ceilingMs: 5 * 60_000 }
/** Nothing is given up for its age with fewer attempts: its age may be that of a clock which was set forward. */
const LEAST_ATTEMPTS = 5

export interface Circumstances {
  readonly nowMs: number
  readonly maxAgeMs: number
  /** A number in [0, 1). */
  readonly random: number
}

/** What becomes of an event after an attempt, as a value: delivered, dead, or postponed until a time. */
export function settlementOf(
  event: DueEvent,
  outcome: Outcome,
  { nowMs, maxAgeMs, random }: Circumstances,
): Settlement {
  const { id } = event
  if (outcome.kind === 'accepted') return { kind: 'delivered', id, httpStatus: outcome.status }
  const { reason } = outcome
  const attempts = event.attempts + 1
  const answer = { id, reason, ...(outcome.status !== undefined && { httpStatus: outcome.status }) }
  if (outcome.kind === 'refused') return { kind: 'dead', cause: 'refused', ...answer }
  if (nowMs - event.acceptedAtMs > maxAgeMs && attempts >= LEAST_ATTEMPTS)
    return { kind: 'dead', cause: 'too-old', ...answer }
  const afterMs = outcome.kind === 'retry' ? outcome.afterMs : undefined
  const waitMs = delayMs(attempts, afterMs, random, attempts > PATIENT_ATTEMPTS ? SLOW : undefined)
  return { kind: 'postponed', ...answer, dueAtMs: nowMs + waitMs }
}
