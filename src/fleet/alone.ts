import { Failure } from '../core/failure.ts'
import type { Clock } from '../delivery/retry.ts'
import type { ListedSpool } from '../spool/listing.ts'
import type { SpoolKey } from '../spool/spool.ts'
import type { WorkerEvents } from '../spool/worker/types.ts'
import type { AlertHolds } from './alert-holds.ts'
import type { Engine } from './engine.ts'
import type { LocalDelivery } from './local-delivery.ts'
import type { Moving } from './relay-fleet-parts.ts'
import { createUntoldResults, type UntoldResults } from './untold-results.ts'

/** Decides when a relay delivers without its fleet, and tells the fleet afterwards. */
export interface Alone {
  /** An event was delivered or refused without the fleet. */
  readonly settled: UntoldResults['add']
  /**
   * Once the fleet answers: ends delivering without it, and tells it what was delivered. Rejects with a `Failure` if the fleet
   * goes away again.
   */
  rejoin(): Promise<void>
  /** Whether the fleet may not know everything that this relay has delivered. */
  owesResults(): boolean
  /** How many times this relay has begun to deliver alone. */
  timesBegun(): number
  stop(): Promise<void>
}

export interface AloneDeps {
  readonly engine: Pick<Engine, 'state' | 'add' | 'progress' | 'pending' | 'find' | 'origin'>
  readonly spool: ListedSpool
  readonly local: LocalDelivery
  readonly holds: AlertHolds
  readonly clock: Clock
  /** How long the fleet has to be away; Infinity for never. */
  readonly afterMs: number
  readonly canonical: (key: SpoolKey) => SpoolKey
  readonly moving: Moving
}

const CHECK_MS = 250
/** How long to deliver alone before the fleet is tried again that can be reached, but takes nothing. */
const TRY_AGAIN_MS = 5000
/** How often to ask which of this relay's events are settled. */
const SWEEP_MS = 5000
const SWEPT_AT_ONCE = 1000

/** Watches the fleet from now on. */
export function startAlone(deps: AloneDeps): Alone {
  const { engine, local, clock, afterMs, moving } = deps
  const stopping = new AbortController()
  const results = createUntoldResults(deps)
  const sweep = createSweep(deps)
  let awaySinceMs: number | undefined = clock.now()
  let triedAtMs = Number.NEGATIVE_INFINITY
  let timesBegun = 0
  const rejoin = async (): Promise<void> => {
    if (moving.state === 'stuck') return
    await local.setMode('own') // resolves when the results of what was in flight are there, too
    await results.tell()
  }
  const check = async (): Promise<void> => {
    const isDown = engine.state().kind === 'down'
    if (isDown || moving.state === 'stuck') {
      awaySinceMs ??= clock.now()
      if (clock.now() - awaySinceMs >= afterMs) await goOnAlone(isDown)
      return
    }
    await rejoin()
    await sweep()
    if (moving.state === 'fine') awaySinceMs = undefined
  }
  /** Events are moved only while nothing is delivered alone, so trying that again needs a break. */
  const goOnAlone = async (isDown: boolean): Promise<void> => {
    if (!isDown && local.mode() === 'alone' && clock.now() - triedAtMs >= TRY_AGAIN_MS) {
      await local.setMode('own')
      moving.state = 'untried'
      triedAtMs = clock.now()
      return
    }
    if (local.mode() === 'own') {
      triedAtMs = clock.now()
      timesBegun += 1
    }
    await local.setMode('alone')
    if (!isDown) await sweep()
  }
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await check()
      } catch (error) {
        if (!(error instanceof Failure)) throw error // the fleet went away again
      }
      await clock.sleep(CHECK_MS, stopping.signal)
    }
  }
  const running = run()
  return {
    settled: results.add,
    rejoin,
    owesResults: () => local.mode() === 'alone' || results.left() > 0,
    timesBegun: () => timesBegun,
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

/** Returns a function that checks, now and then, which of this relay's events are settled. */
function createSweep({ engine, holds, clock }: AloneDeps): () => Promise<void> {
  let sweptAtMs = Number.NEGATIVE_INFINITY
  const learn = async (): Promise<void> => {
    if ((await engine.pending('own')) > SWEPT_AT_ONCE) return
    const search = { statuses: ['pending'], origin: engine.origin, limit: SWEPT_AT_ONCE } as const
    const pending = await engine.find(search)
    holds.add(
      pending,
      pending.map(({ id }) => id),
    )
    holds.setKnown()
  }
  return async () => {
    if (clock.now() - sweptAtMs < SWEEP_MS) return
    sweptAtMs = clock.now()
    if (holds.isUnknown()) await learn()
    const ids = holds.ids(SWEPT_AT_ONCE)
    const progress = ids.length === 0 ? [] : await engine.progress(ids)
    const settled = progress.filter(({ status }) => status !== 'pending')
    holds.remove(settled.map(({ id }) => id))
    if (settled.length > SWEPT_AT_ONCE / 2) sweptAtMs = Number.NEGATIVE_INFINITY
  }
}

/** The same events, which also tell what was settled. */
export function tellingAlone(events: WorkerEvents, tell: UntoldResults['add']): WorkerEvents {
  return {
    ...events,
    onDelivered: (report) => {
      events.onDelivered(report)
      tell(report, { kind: 'delivered', attempts: report.attempts, httpStatus: report.httpStatus ?? 202 })
    },
    onDead: (report) => {
      events.onDead(report)
      const { attempts, cause, reason, httpStatus } = report
      if (cause === 'damaged') return // its content is not what was accepted
      tell(report, { kind: 'dead', attempts, cause, reason, ...(httpStatus !== undefined && { httpStatus }) })
    },
  }
}
