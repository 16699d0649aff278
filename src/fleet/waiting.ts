import { setTimeout as sleep } from 'node:timers/promises'
import type { ListedSpool } from '../spool/listing.ts'
import type { Progress } from '../spool/spool.ts'
import type { Engine } from './engine.ts'

/** Callers that wait until their events are settled, by whichever relay. */
export interface FleetWaiting {
  /** Resolves with the progress of events when none is pending, the time is over or the signal aborts. */
  waitFor(ids: readonly number[], by: 'fleet' | 'spool', until: Until): Promise<Progress[]>
  /** This relay has settled an event of the fleet. */
  settled(progress: Progress): void
  /** Events of the relay's own spool are in the fleet now, under these ids. */
  forwarded(spoolIds: readonly number[], ids: readonly number[]): void
}

export interface Until {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** How often to ask about events that other relays deliver: their notifications may not arrive. */
const POLL_MS = 500

/** Has no waiting callers yet. */
export function createFleetWaiting(
  engine: Pick<Engine, 'progress' | 'onChange'>,
  spool: Pick<ListedSpool, 'waitFor'>,
): FleetWaiting {
  const callers = createCallers(engine)
  /** Callers that wait until an event of the spool is in the fleet. */
  const movers = new Map<number, (id: number) => void>()
  const waitForSpooled = async (spoolId: number, timeoutMs: number, stop: AbortSignal): Promise<Progress> => {
    const over = new AbortController()
    const moved = new Promise<number>((resolve) => movers.set(spoolId, resolve))
    const settled = spool.waitFor([spoolId], timeoutMs, AbortSignal.any([stop, over.signal]))
    const first = await Promise.race([moved, settled])
    over.abort()
    movers.delete(spoolId)
    if (typeof first === 'number') return await callers.wait(first, stop)
    return first[0] ?? { id: spoolId, status: 'pending', attempts: 0 }
  }
  return {
    settled: callers.tell,
    forwarded: (spoolIds, ids) => {
      if (movers.size === 0) return
      for (const [index, spoolId] of spoolIds.entries()) movers.get(spoolId)?.(ids[index] ?? 0)
    },
    waitFor: async (ids, by, { timeoutMs, signal }) => {
      const over = new AbortController()
      const timer = setTimeout(() => over.abort(), timeoutMs)
      const stop = AbortSignal.any([signal, over.signal])
      const waitForOne = (id: number): Promise<Progress> =>
        by === 'fleet' ? callers.wait(id, stop) : waitForSpooled(id, timeoutMs, stop)
      try {
        return await Promise.all(ids.map(waitForOne))
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

interface Callers {
  readonly tell: (progress: Progress) => void
  /** Resolves with the progress of an event when it is not pending, or the signal aborts. */
  readonly wait: (id: number, stop: AbortSignal) => Promise<Progress>
}

function createCallers(engine: Pick<Engine, 'progress' | 'onChange'>): Callers {
  const callers = new Map<number, Set<(progress: Progress) => void>>()
  let isPolling = false
  const tell = (progress: Progress): void => {
    for (const call of callers.get(progress.id) ?? []) call(progress)
  }
  const ask = async (ids: readonly number[]): Promise<void> => {
    const found = ids.length === 0 ? [] : await engine.progress(ids).catch(() => [])
    for (const progress of found) if (progress.status !== 'pending') tell(progress)
  }
  const poll = async (): Promise<void> => {
    if (isPolling) return
    isPolling = true
    while (callers.size > 0) {
      await ask([...callers.keys()])
      await sleep(POLL_MS)
    }
    isPolling = false
  }
  engine.onChange((ids) => void ask(ids.filter((id) => callers.has(id))))
  return {
    tell,
    wait: (id, stop) =>
      new Promise((resolve) => {
        const others = callers.get(id) ?? new Set()
        const finish = (progress: Progress): void => {
          others.delete(finish)
          if (others.size === 0) callers.delete(id)
          stop.removeEventListener('abort', giveUp)
          resolve(progress)
        }
        const giveUp = (): void => finish({ id, status: 'pending', attempts: 0 })
        if (stop.aborted) return giveUp()
        callers.set(id, others.add(finish))
        stop.addEventListener('abort', giveUp)
        void poll()
      }),
  }
}
