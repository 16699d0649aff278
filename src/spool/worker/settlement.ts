import { delayMs, type Backoff } from '../../core/backoff.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { DueEvent, Settlement } from '../spool.ts'

/** After this many attempts, within an hour, retries continue at longer intervals. */
const PATIENT_ATTEMPTS = 12
const SLOW: Backoff = { firstMs: 1000, ceilingMs: 5 * 60_000 }
/** No event is too old after fewer attempts, since its age may come from a clock that was set forward. */
const LEAST_ATTEMPTS = 5

export interface Circumstances {
  readonly nowMs: number
  readonly maxAgeMs: number
  /** A number in [0, 1). */
  readonly random: number
}

/** Decides about an event after an attempt: it is delivered, dead, or postponed until a time. */
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
