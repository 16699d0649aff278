import { Failure } from '../core/failure.ts'
import type { Clock } from '../delivery/retry.ts'
import type { ListedSpool } from '../spool/listing.ts'
import { toRow } from '../spool/rows.ts'
import type { Event } from '../core/event.ts'
import type { SpoolItem, SpoolKey } from '../spool/spool.ts'
import type { AttemptReport, WorkerEvents } from '../spool/worker/types.ts'
import type { AlertHolds } from './alert-holds.ts'
import type { Engine, FleetSettled } from './engine.ts'
import type { LocalDelivery } from './local-delivery.ts'
import { AT_ONCE } from './write-through.ts'

/** Decides when a relay delivers without its fleet, and tells the fleet afterwards. */
export interface Alone {
  /** An event was delivered or refused without the fleet. */
  settled(event: SettledAlone): void
  stop(): Promise<void>
}

export interface SettledAlone {
  readonly item: SpoolItem
  /** Its id in the spool. */
  readonly id: number
  readonly settled: FleetSettled
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
}

const CHECK_MS = 250
/** How often to ask which of this relay's events are settled. */
const SWEEP_MS = 5000
const SWEPT_AT_ONCE = 1000
/** Results that are kept for the fleet's list. */
const MAX_KEPT = 10_000

/** Watches the fleet from now on. */
export function startAlone(deps: AloneDeps): Alone {
  const { engine, local, clock, afterMs } = deps
  const stopping = new AbortController()
  const results = createResults(deps)
  const sweep = createSweep(deps)
  let awaySinceMs: number | undefined = clock.now()

  const check = async (): Promise<void> => {
    if (engine.state().kind === 'down') {
      awaySinceMs ??= clock.now()
      if (clock.now() - awaySinceMs >= afterMs) await local.setMode('alone')
      return
    }
    awaySinceMs = undefined
    await results.record()
    await local.setMode('own')
    await sweep()
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
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

/** What was delivered or refused without the fleet, until the fleet lists it. */
interface Results {
  readonly add: (event: SettledAlone) => void
  readonly record: () => Promise<void>
}

function createResults({ engine, spool, canonical }: AloneDeps): Results {
  let kept: SettledAlone[] = []
  return {
    add: (event) => {
      if (kept.length < MAX_KEPT) kept.push(event)
    },
    record: async () => {
      while (kept.length > 0) {
        const some = kept.slice(0, AT_ONCE)
        const deployments = spool.forwarding.deploymentsOf(some.map(({ id }) => id))
        const rows = some.map(({ item, id, settled }, index) => {
          const row = toRow({ ...item, key: canonical(item.key) }, Date.now())
          const request = deployments[index]
          return {
            ...row,
            originId: String(id),
            ageMs: 0,
            settled,
            ...(request !== undefined && { request }),
          }
        })
        await engine.add(rows)
        kept = kept.slice(some.length)
        for (const { id, settled } of some) if (settled.kind === 'dead') await spool.discard({ id })
      }
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
export function tellingAlone(events: WorkerEvents, onSettled: (event: SettledAlone) => void): WorkerEvents {
  const tell = ({ event, key }: AttemptReport, settled: FleetSettled): void => {
    const item = { event: { kind: event.kind, body: JSON.parse(event.body) as Event['body'] } as Event, key }
    onSettled({ item, id: event.id, settled })
  }
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
