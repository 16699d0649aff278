import type { Progress } from './spool.ts'

/** Callers that wait until events are settled, by this or another process. */
export interface Waiting {
  /** See `Spool.waitFor`. */
  waitFor(ids: readonly number[], timeoutMs: number, signal: AbortSignal): Promise<Progress[]>
  /** Call when this process has settled events. */
  settled(progress: readonly Progress[]): void
}

export interface WaitingOptions {
  readonly progress: (id: number) => Progress
  /** Whether another process has changed the spool since the last call. */
  readonly hasForeignChanges: () => boolean
}

/** How often to check whether another process has settled the events. */
const POLL_MS = 100

/** Has no waiting callers yet. */
export function createWaiting({ progress, hasForeignChanges }: WaitingOptions): Waiting {
  const listeners = new Map<number, Set<(progress: Progress) => void>>()
  let timer: NodeJS.Timeout | undefined

  const tell = (settled: Progress): void => {
    for (const listener of listeners.get(settled.id) ?? []) listener(settled)
  }
  const poll = (): void => {
    if (!hasForeignChanges()) return
    for (const id of listeners.keys()) {
      const found = progress(id)
      if (found.status !== 'pending') tell(found)
    }
  }
  const listen = (id: number, listener: (progress: Progress) => void): (() => void) => {
    const others = listeners.get(id) ?? new Set()
    listeners.set(id, others.add(listener))
    timer ??= setInterval(poll, POLL_MS)
    return () => {
      others.delete(listener)
      if (others.size === 0) listeners.delete(id)
      if (listeners.size > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }
  const waitForOne = (id: number, stop: AbortSignal): Promise<Progress> =>
    new Promise((resolve) => {
      const found = progress(id)
      if (found.status !== 'pending' || stop.aborted) return resolve(found)
      const finish = (settled: Progress): void => {
        unlisten()
        stop.removeEventListener('abort', giveUp)
        resolve(settled)
      }
      const giveUp = (): void => finish(progress(id))
      const unlisten = listen(id, finish)
      stop.addEventListener('abort', giveUp)
    })
  return {
    waitFor: async (ids, timeoutMs, signal) => {
      const over = new AbortController()
      const timeout = setTimeout(() => over.abort(), timeoutMs)
      const stop = AbortSignal.any([signal, over.signal])
      try {
        return await Promise.all(ids.map((id) => waitForOne(id, stop)))
      } finally {
        clearTimeout(timeout)
      }
    },
    settled: (settlements) => {
      if (listeners.size > 0) settlements.forEach(tell)
    },
  }
}
