import type { Event } from '../core/event.ts'
import type { Due, DueEvent, DueOptions, Progress, Settlement, SpoolCounts } from './spool.ts'
import type { Reads } from './queries.ts'

/**
 * Results that could not be written yet. They correct the store's answers, so that delivery continues while nothing can be
 * written.
 */
export interface Unwritten {
  readonly size: () => number
  /** @returns the events that are no longer pending, and the keys that now have an event to attempt */
  remember(reads: Reads, settlements: readonly Settlement[]): Remembered
  /** The oldest results, in the order in which to write them. */
  take(count: number): readonly Settlement[]
  /** Forgets the oldest results, which are written now. */
  forget(count: number): void
  /** A key's due events, in light of the unwritten results. */
  due(reads: Reads, wanted: Wanted): Due
  /** Whether an event of the alert before this one is still pending. */
  hasEarlier(reads: Reads, event: AlertEvent): boolean
  /** Keys with events that still wait according to the store, but may be attempted. */
  readyKeyIds(): Iterable<number>
  counts(stored: SpoolCounts): SpoolCounts
  /** The progress of an event; undefined if the store knows it. */
  progress(id: number): Progress | undefined
}

/** What changed by remembering results. */
export interface Remembered {
  readonly settled: readonly Progress[]
  readonly dueKeyIds: ReadonlySet<number>
}

/** What the store does not know about an event. */
interface Known {
  readonly keyId: number
  attempts: number
  /** When to try it again; undefined if it is no longer pending. */
  dueAtMs: number | undefined
  progress: Progress | undefined
}

/** The events to look for. */
export interface Wanted {
  readonly keyId: number
  readonly kind: Event['kind']
  readonly options: DueOptions
}

/** One event of an alert. */
export interface AlertEvent {
  readonly keyId: number
  readonly dedupKey: string
  readonly id: number
}

/** Remembers no results yet. */
export function createUnwritten(): Unwritten {
  let settlements: Settlement[] = []
  const known = new Map<number, Known>()
  /** Events by key that wait, according to the store, for one that is no longer pending. */
  const ready = new Map<number, Set<number>>()

  const isFinished = (id: number): boolean => known.get(id)?.progress !== undefined

  /** The next event of an alert that is still pending. */
  const nextOf = (reads: Reads, { keyId, dedupKey, id }: AlertEvent): number | undefined => {
    let next = reads.nextOfAlert(keyId, dedupKey, id)
    while (next !== undefined && isFinished(next)) next = reads.nextOfAlert(keyId, dedupKey, next)
    return next
  }
  const rememberOne = (reads: Reads, settlement: Settlement): [Progress | undefined, number | undefined] => {
    const { id } = settlement
    const stored = reads.pending(id)
    if (stored === undefined || isFinished(id)) return [undefined, undefined]
    const { keyId, dedupKey } = stored
    settlements.push(settlement)
    const attempts = (known.get(id)?.attempts ?? 0) + 1
    if (settlement.kind === 'postponed') {
      known.set(id, { keyId, attempts, dueAtMs: settlement.dueAtMs, progress: undefined })
      return [undefined, undefined]
    }
    const progress = toProgress(settlement, stored.attempts + attempts)
    known.set(id, { keyId, attempts, dueAtMs: undefined, progress })
    ready.get(keyId)?.delete(id)
    const next = dedupKey === undefined ? undefined : nextOf(reads, { keyId, dedupKey, id })
    if (next === undefined) return [progress, undefined]
    ready.set(keyId, (ready.get(keyId) ?? new Set()).add(next))
    return [progress, keyId]
  }
  return {
    size: () => settlements.length,
    remember: (reads, more) => {
      const results = more.map((settlement) => rememberOne(reads, settlement))
      return {
        settled: results.flatMap(([progress]) => progress ?? []),
        dueKeyIds: new Set(results.flatMap(([, keyId]) => keyId ?? [])),
      }
    },
    take: (count) => settlements.slice(0, count),
    forget: (count) => {
      const written = settlements.slice(0, count)
      settlements = settlements.slice(count)
      const left = new Set(settlements.map(({ id }) => id))
      for (const { id } of written) if (!left.has(id)) known.delete(id)
      if (settlements.length === 0) ready.clear()
    },
    due: (reads, wanted) => dueWith(reads, wanted, { known, ready: ready.get(wanted.keyId) }),
    hasEarlier: (reads, { keyId, dedupKey, id }) => (nextOf(reads, { keyId, dedupKey, id: 0 }) ?? id) < id,
    readyKeyIds: () => ready.keys(),
    counts: (stored) => countsWith(stored, known.values()),
    progress: (id) => known.get(id)?.progress,
  }
}

function toProgress(settlement: Exclude<Settlement, { kind: 'postponed' }>, attempts: number): Progress {
  const { id, kind: status, httpStatus } = settlement
  return {
    id,
    status,
    attempts,
    ...(httpStatus !== undefined && { httpStatus }),
    ...(settlement.kind === 'dead' && { reason: settlement.reason }),
  }
}

function countsWith({ pending, delivered, dead }: SpoolCounts, known: Iterable<Known>): SpoolCounts {
  const finished = [...known].flatMap(({ progress }) => progress ?? [])
  const newlyDead = finished.filter(({ status }) => status === 'dead').length
  return {
    pending: pending - finished.length,
    delivered: delivered + finished.length - newlyDead,
    dead: dead + newlyDead,
  }
}

interface Memory {
  readonly known: ReadonlyMap<number, Known>
  readonly ready: ReadonlySet<number> | undefined
}

function dueWith(reads: Reads, wanted: Wanted, { known, ready = new Set() }: Memory): Due {
  const { keyId, kind, options } = wanted
  const { nowMs, limit, exclude } = options
  const isWaiting = ({ dueAtMs }: Known): boolean => dueAtMs === undefined || dueAtMs > nowMs
  const waiting = [...known].filter(([, each]) => each.keyId === keyId && isWaiting(each))
  const excluded = new Set([...exclude, ...waiting.map(([id]) => id)])
  const stored = reads.due(keyId, kind, { ...options, exclude: excluded })
  const released = [...ready]
    .filter((id) => !excluded.has(id))
    .flatMap((id) => reads.dueEvent(id) ?? [])
    .filter((event) => event.kind === kind)
  const events = new Map<number, DueEvent>()
  for (const event of [...released, ...stored.events])
    events.set(event.id, { ...event, attempts: event.attempts + (known.get(event.id)?.attempts ?? 0) })
  const times = [stored.nextAtMs, ...waiting.map(([, { dueAtMs }]) => dueAtMs)]
  const nextAtMs = Math.min(...times.flatMap((atMs) => atMs ?? []))
  return {
    events: [...events.values()].slice(0, limit),
    isMore: stored.isMore || events.size > limit,
    nextAtMs: Number.isFinite(nextAtMs) ? nextAtMs : undefined,
  }
}
