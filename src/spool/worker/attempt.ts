import type { Outcome } from '../../core/outcome.ts'
import { createJsonRequest } from '../../delivery/request.ts'
import { checksumOf } from '../rows.ts'
import type { DueEvent, Settlement, SpoolKey } from '../spool.ts'
import type { Resolution } from './destinations.ts'
import { noteEnd, noteOutcome, noteStart, type KeyState } from './key-state.ts'
import { settlementOf } from './settlement.ts'
import type { StoreHealth } from './store-health.ts'
import type { AttemptReport, WorkerDeps, WorkerEvents } from './types.ts'

/**
 * Makes one attempt and writes its result. Rejects only because of a bug.
 * @returns whether the event is no longer pending
 */
export type Attempt = (state: KeyState, event: DueEvent) => Promise<boolean>

export interface AttemptHooks {
  readonly storeHealth: StoreHealth
  /** Aborts attempts in flight; their events stay pending. */
  readonly signal: AbortSignal
  /** Called when a key may have more to attempt. */
  readonly lookAgain: (keyId: number) => void
}

/** A function that makes attempts and keeps the state of their key up to date. */
export function createAttempt(deps: WorkerDeps, { storeHealth, signal, lookAgain }: AttemptHooks): Attempt {
  const { clock, events, maxAgeMs } = deps
  const { queue } = deps.spool
  const note = (state: KeyState, event: DueEvent, outcome: Outcome, startedAtMs: number): void => {
    const nowMs = queue.now()
    if (!noteOutcome(state, event, outcome, { startedAtMs, nowMs, random: clock.random() })) return
    // Events that failed while the key did not work need not wait any longer.
    const clamped = [...state.keys.keys()].map((keyId) => queue.clampDue(nowMs, keyId))
    void Promise.all(clamped).then(() => lookAgain(event.keyId))
  }
  /** Undefined if the attempt was aborted, or was not allowed to begin. */
  const settle = async (state: KeyState, event: DueEvent, key: SpoolKey): Promise<Settlement | undefined> => {
    const startedAtMs = queue.now()
    if (checksumOf(key, event.kind, event.body) !== event.checksum) return corrupted(event)
    let isForbidden = false
    const mayBegin = queue.mayAttempt && ((): boolean => !(isForbidden = queue.mayAttempt?.(event) === false))
    const found = deps.resolve(key)
    const resolution = found instanceof Promise ? await found : found
    const outcome = await post(deps, event, resolution, { signal, mayBegin })
    if (outcome.kind === 'retry' && (signal.aborted || isForbidden)) return undefined
    note(state, event, outcome, startedAtMs)
    return settlementOf(event, outcome, { nowMs: queue.now(), maxAgeMs, random: clock.random() })
  }
  const make = async (state: KeyState, event: DueEvent, startedAtMs: number): Promise<boolean> => {
    const key = state.keys.get(event.keyId)
    const settlement = key && (await settle(state, event, key))
    const nowMs = queue.now()
    if (key === undefined || settlement === undefined) return false
    const made = { atMs: Math.round(startedAtMs), ms: Math.round(nowMs - startedAtMs) }
    const reason = await queue.settle([{ ...settlement, attempt: made }]) // if that fails, the queue keeps the result in memory
    if (reason !== undefined) storeHealth.failed(reason)
    const ageMs = Math.max(0, nowMs - event.acceptedAtMs)
    const attempts = event.attempts + 1
    reportSettlement(
      events,
      settlement,
      { event, key, attempts, attemptMs: nowMs - startedAtMs, ageMs },
      nowMs,
    )
    return settlement.kind !== 'postponed'
  }
  return async (state, event) => {
    const startedAtMs = queue.now()
    noteStart(state, event, startedAtMs)
    try {
      return await make(state, event, startedAtMs)
    } finally {
      noteEnd(state, event)
    }
  }
}

/** Sends an event with its key. If the key is not configured, the event is unreachable for now: it may be configured later. */
function post(
  { transport, userAgent, timeoutMs, secrets }: WorkerDeps,
  { kind, body }: DueEvent,
  resolution: Resolution,
  { signal, mayBegin }: { readonly signal: AbortSignal; readonly mayBegin: (() => boolean) | undefined },
): Promise<Outcome> | Outcome {
  if ('missing' in resolution) return { kind: 'unreachable', reason: resolution.missing }
  const request = createJsonRequest({ kind, json: body }, resolution, userAgent)
  const masked = { ...request, secrets: [...request.secrets, ...secrets], mayBegin }
  return transport.post(masked, timeoutMs, signal)
}

function corrupted({ id }: DueEvent): Settlement {
  const reason = 'checksum mismatch: it was corrupted on disk, so it was not sent'
  return { kind: 'dead', cause: 'damaged', id, reason }
}

function reportSettlement(
  events: WorkerEvents,
  settlement: Settlement,
  attempt: AttemptReport,
  nowMs: number,
): void {
  const { httpStatus } = settlement
  const report = { ...attempt, ...(httpStatus !== undefined && { httpStatus }) }
  switch (settlement.kind) {
    case 'delivered':
      return events.onDelivered(report)
    case 'postponed':
      return events.onRetry({ ...report, reason: settlement.reason, delayMs: settlement.dueAtMs - nowMs })
    case 'dead':
      return events.onDead({ ...report, reason: settlement.reason, cause: settlement.cause })
  }
}
