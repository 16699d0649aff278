import { Failure } from '../core/failure.ts'
import type { EventPlace, EventStore, ListedEvent, ListedSpool } from '../spool/listing.ts'
import type { DeadFilter, SpoolCounts, SpoolKey } from '../spool/spool.ts'
import type { Engine } from './engine.ts'

/** Ids from here on are the spool's: they begin with the milliseconds at which it was made. Those of the fleet are small. */
const FIRST_SPOOL_ID = 1_000_000_000_000

/** Whether an id is of an event that a spool has, not the fleet. */
export function isOfSpool(id: number): boolean {
  return id >= FIRST_SPOOL_ID
}

/** What this needs from the process's own spool. */
export type OwnEvents = Pick<ListedSpool, Lists | Actions | 'setAside' | 'onChange'>

export interface EventStoreDeps {
  readonly engine: Engine
  readonly spool: OwnEvents
  /** Whether the fleet takes events of the key. */
  readonly isShared: (key: SpoolKey) => boolean
}

/**
 * The events of the fleet, and those that only this relay's spool has. While the fleet cannot be reached, it lists only the latter.
 */
export function createFleetStore(deps: EventStoreDeps): EventStore {
  const { engine, spool } = deps
  return {
    ...createLists(deps),
    ...createActions(deps),
    setAside: () => spool.setAside(),
    onChange: (listener) => {
      const stops = [engine.onChange(listener), spool.onChange(listener)]
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}

type Lists = 'counts' | 'oldestPendingAgeMs' | 'list' | 'find' | 'show'

function createLists({ engine, spool, isShared }: EventStoreDeps): Pick<EventStore, Lists> {
  let known: SpoolCounts = { pending: 0, delivered: 0, dead: 0 }
  const isAway = (): boolean => engine.state().kind === 'down'
  const ofFleet = async <T>(ask: () => Promise<T>, otherwise: T): Promise<T> => {
    if (isAway()) return otherwise
    return await ask().catch((error: unknown) => {
      if (error instanceof Failure && isAway()) return otherwise
      throw error
    })
  }
  /** What was delivered alone is also listed by the fleet. */
  const isListed = ({ status, key }: Pick<ListedEvent, 'status' | 'key'>): boolean =>
    status !== 'delivered' || !isShared(key)
  const inSpool = <T extends object>(event: T): T & EventPlace => ({ ...event, where: 'spool' })
  return {
    counts: async () => {
      known = await ofFleet(() => engine.counts(), known)
      const own = spool.counts()
      return { ...known, pending: known.pending + own.pending, dead: known.dead + own.dead }
    },
    oldestPendingAgeMs: async () => {
      const ages = [await ofFleet(() => engine.oldestPendingAgeMs(), undefined), spool.oldestPendingAgeMs()]
      const found = ages.filter((age) => age !== undefined)
      return found.length === 0 ? undefined : Math.max(...found)
    },
    list: async (status, limit, afterId = 0) => {
      const search = { statuses: [status], limit, afterId }
      const shared = isOfSpool(afterId) ? [] : await ofFleet(() => engine.find(search), [])
      const own = spool.list(status, limit - shared.length, afterId).filter(isListed)
      return [...shared.map((event) => ({ ...event, status })), ...own.map(inSpool)]
    },
    find: async (search) => {
      const own = spool.find(search).filter(isListed).map(inSpool)
      const left = search.limit - own.length
      return left <= 0 ? own : [...own, ...(await ofFleet(() => engine.find({ ...search, limit: left }), []))]
    },
    show: async (id) => {
      if (!isOfSpool(id)) return await engine.show(id)
      const event = spool.show(id)
      return event && inSpool(event)
    },
  }
}

type Actions = 'retry' | 'previewRetry' | 'discard' | 'discardOne'

function createActions({ engine, spool }: EventStoreDeps): Pick<EventStore, Actions> {
  const holderOf = (id: number): Pick<ListedSpool, Actions> => (isOfSpool(id) ? spool : engine)
  const eachOf = (filter: DeadFilter): readonly Pick<ListedSpool, Actions>[] =>
    'id' in filter ? [holderOf(filter.id)] : [engine, spool]
  return {
    retry: async (filter) => {
      const results = await Promise.all(eachOf(filter).map((holder) => holder.retry(filter)))
      return {
        retried: sum(results.map(({ retried }) => retried)),
        leftOut: sum(results.map(({ leftOut }) => leftOut)),
      }
    },
    previewRetry: async (filter) => {
      const results = await Promise.all(eachOf(filter).map((holder) => holder.previewRetry(filter)))
      const times = results.flatMap(({ oldestAtMs }) => oldestAtMs ?? [])
      return {
        retried: sum(results.map(({ retried }) => retried)),
        leftOut: sum(results.map(({ leftOut }) => leftOut)),
        triggers: sum(results.map(({ triggers }) => triggers)),
        ...(times.length > 0 && { oldestAtMs: Math.min(...times) }),
      }
    },
    discard: async (filter) => sum(await Promise.all(eachOf(filter).map((holder) => holder.discard(filter)))),
    discardOne: (id, note) => holderOf(id).discardOne(id, note),
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
