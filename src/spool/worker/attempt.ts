import type { Outcome } from '../../core/outcome.ts'
import type { WorkerDeps, WorkerEvents, AttemptReport } from './types.ts'
import { createJsonRequest } from '../../delivery/request.ts'
import type { DueEvent, Settlement, SpoolKey } from '../spool.ts'

type AttemptDeps = Pick<WorkerDeps, 'transport' | 'resolve' | 'userAgent' | 'timeoutMs' | 'secrets'>

/** One attempt of an event with its key. A key that is not configured (any more) may be so again. */
export async function attemptOnce(
  { transport, resolve, userAgent, timeoutMs, secrets }: AttemptDeps,
  key: SpoolKey,
  { kind, body }: DueEvent,
  signal: AbortSignal,
): Promise<Outcome> {
  const resolution = await resolve(key)
  if ('missing' in resolution) return { kind: 'unreachable', reason: resolution.missing }
  const own = createJsonRequest({ kind, json: body }, resolution, userAgent)
  return await transport.post({ ...own, secrets: [...own.secrets, ...secrets] }, timeoutMs, signal)
}

/** Tells what came of an attempt, once it is written down. */
export function tellSettlement(
  events: WorkerEvents,
  report: AttemptReport,
  settlement: Settlement,
  nowMs: number,
): void {
  const { httpStatus } = settlement
  const told = { ...report, ...(httpStatus !== undefined && { httpStatus }) }
  switch (settlement.kind) {
    case 'delivered':
      return events.onDelivered(told)
    case 'postponed':
      return events.onRetry({ ...told, reason: settlement.reason, delayMs: settlement.dueAtMs - nowMs })
    case 'dead':
      return events.onDead({ ...told, reason: settlement.reason, cause: settlement.cause })
  }
}
