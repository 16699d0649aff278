import type { Due, DueEvent, SpoolKey, SpoolQueue } from '../spool/spool.ts'
import type { Worker } from '../spool/worker/types.ts'

/**
 * What a fleet's relay delivers from its own spool.
 *
 * - `own`: only events that the fleet does not take
 * - `alone`: everything, because the fleet has been away for long
 */
export type LocalMode = 'own' | 'alone'

/** Delivers from the relay's own spool. */
export interface LocalDelivery {
  /** Resolves when the worker of the mode before has finished what it had begun. */
  setMode(mode: LocalMode): Promise<void>
  mode(): LocalMode
  /** Whether this process, and no other, may take events out of the spool. */
  isDelivering(): boolean
  worker(): Worker
  stop(graceMs: number): Promise<void>
}

export interface LocalDeliveryDeps {
  readonly queue: SpoolQueue
  /** Starts a worker on a queue. */
  readonly launchWorker: (queue: SpoolQueue, mode: LocalMode) => Worker
  /** Whether the event may be delivered in that mode, or any event of the key. */
  readonly isAllowed: (mode: LocalMode, key: SpoolKey, event?: DueEvent) => boolean
}

/** How long attempts may take to finish when the mode changes: as long as any attempt. */
const CHANGE_GRACE_MS = 60_000

/** Starts with `own`. */
export function startLocalDelivery({ queue, launchWorker, isAllowed }: LocalDeliveryDeps): LocalDelivery {
  const start = (mode: LocalMode): Worker =>
    launchWorker(
      filterQueue(queue, (key, event) => isAllowed(mode, key, event)),
      mode,
    )
  let current: LocalMode = 'own'
  let worker = start(current)
  let changing = Promise.resolve()
  let isStopped = false
  let isChanging = false
  const change = async (mode: LocalMode): Promise<void> => {
    if (mode === current || isStopped) return
    current = mode
    isChanging = true
    await worker.stop(CHANGE_GRACE_MS)
    if (!isStopped) worker = start(mode)
    isChanging = false
  }
  return {
    setMode: (mode) => (changing = changing.then(() => change(mode))),
    mode: () => current,
    isDelivering: () => !isChanging && worker.isDelivering(),
    worker: () => worker,
    stop: async (graceMs) => {
      isStopped = true
      await worker.stop(graceMs)
      await changing
    },
  }
}

const NOTHING: Due = { events: [], isMore: false, nextAtMs: undefined }

/** How many times to look for other events in place of those that must stay. */
const MAX_LOOKS = 10

/** The same queue, without the events that are not allowed. */
function filterQueue(queue: SpoolQueue, isAllowed: (key: SpoolKey, event?: DueEvent) => boolean): SpoolQueue {
  return {
    ...queue,
    // Events that were just added have to be looked for, too, since only `due` checks whether they are allowed.
    onDue: (listener) =>
      queue.onDue((keyIds, fresh) => listener(new Set([...keyIds, ...fresh.map(({ keyId }) => keyId)]), [])),
    due: (keyId, kind, options) => {
      const key = queue.key(keyId)
      if (key === undefined || !isAllowed(key)) return NOTHING
      const isWanted = (event: DueEvent): boolean => isAllowed(key, event)
      const exclude = new Set(options.exclude)
      let due = queue.due(keyId, kind, options)
      for (let looks = 1; looks < MAX_LOOKS && !due.events.every(isWanted); looks++) {
        for (const event of due.events) if (!isWanted(event)) exclude.add(event.id)
        due = queue.due(keyId, kind, { ...options, exclude })
      }
      return { ...due, events: due.events.filter(isWanted) }
    },
  }
}
