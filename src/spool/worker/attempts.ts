import type { Outcome } from '../../core/outcome.ts'
import type { WorkerDeps } from './types.ts'
import type { DueEvent, Settlement, SpoolKey } from '../spool.ts'
import { checksumOf } from '../rows.ts'
import { attemptOnce, tellSettlement } from './attempt.ts'
import { settlementOf } from './settlement.ts'
import { noteEnd, noteOutcome, noteStart, type KeyState } from './key-state.ts'
import type { StoreHealth } from './store-health.ts'

/** Attempts, each from its beginning until what came of it is written down. */
export interface Attempts {
  /**
   * Makes one attempt and writes its result down. Never rejects but for a bug.
   * @returns whether the event is pending no more
   */
  make(state: KeyState, event: DueEvent): Promise<boolean>
}

export interface AttemptHooks {
  readonly storeHealth: StoreHealth
  /** Ends those in flight; their events stay pending. */
  readonly broken: AbortSignal
  /** A key may have more to attempt. */
  readonly lookAgain: (keyId: number) => void
}

/** Attempts that keep the state of their key. */
export function createAttempts(deps: WorkerDeps, { storeHealth, broken, lookAgain }: AttemptHooks): Attempts {
  const { clock, events, maxAgeMs } = deps
  const { queue } = deps.spool
  const note = (state: KeyState, event: DueEvent, outcome: Outcome, startedAtMs: number): void => {
    const nowMs = queue.now()
    if (!noteOutcome(state, event, outcome, { startedAtMs, nowMs, random: clock.random() })) return
    // What failed while the key did not work need not wait any longer.
    const clamped = [...state.keys.keys()].map((keyId) => queue.clampDue(nowMs, keyId))
    void Promise.all(clamped).then(() => lookAgain(event.keyId))
  }
  /** Undefined where it was broken off. */
  const attempt = async (
    state: KeyState,
    event: DueEvent,
    key: SpoolKey,
  ): Promise<Settlement | undefined> => {
    const startedAtMs = queue.now()
    if (checksumOf(key, event.kind, event.body) !== event.checksum) return altered(event)
    const outcome = await attemptOnce(deps, key, event, broken)
    if (outcome.kind === 'retry' && broken.aborted) return undefined
    note(state, event, outcome, startedAtMs)
    return settlementOf(event, outcome, { nowMs: queue.now(), maxAgeMs, random: clock.random() })
  }
  const make = async (state: KeyState, event: DueEvent): Promise<boolean> => {
    const startedAtMs = queue.now()
    const key = state.keys.get(event.keyId)
    const settlement = key && (await attempt(state, event, key))
    const nowMs = queue.now()
    if (key === undefined || settlement === undefined) return false
    const reason = await queue.settle([settlement]) // where that fails the queue remembers it
    if (reason !== undefined) storeHealth.failed(reason)
    const report = {
      event,
      key,
      attempts: event.attempts + 1,
      attemptMs: nowMs - startedAtMs,
      ageMs: Math.max(0, nowMs - event.acceptedAtMs),
    }
    tellSettlement(events, report, settlement, nowMs)
    return settlement.kind !== 'postponed'
  }
  return {
    make: async (state, event) => {
      noteStart(state, event, queue.now())
      return await make(state, event).finally(() => noteEnd(state, event))
    },
  }
}

function altered({ id }: DueEvent): Settlement {
  const reason = 'it is not what was accepted: the disk of the spool has altered it, so it was not sent'
  return { kind: 'dead', cause: 'damaged', id, reason }
}
