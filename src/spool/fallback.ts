import { openReadOnlyStore, type ReadableStore } from './read-only-store.ts'
import { storeProblem } from './errors.ts'
import type { Sqlite } from './statements.ts'

/** How a store is read that cannot be opened as usual. */
export interface Fallback {
  /** Whether it was opened so recently that the usual way need not be tried again. */
  isFresh(): boolean
  /** @throws `reason`, why the usual way does not work, if this one does not either */
  read<T>(work: (store: ReadableStore) => T, reason: unknown): T
  close(): void
}

/** How long a store is read without locks before it is opened again, at first for writing. */
const FRESH_MS = 500

/** A fallback that opens nothing yet. */
export function createFallback(sqlite: Sqlite, path: string): Fallback {
  let opened: { readonly store: ReadableStore; readonly untilMs: number } | undefined
  const isFresh = (): boolean => opened !== undefined && performance.now() < opened.untilMs
  const close = (): void => {
    const closing = opened
    opened = undefined
    closing?.store.close()
  }
  const open = (): ReadableStore | undefined => {
    if (opened !== undefined && isFresh()) return opened.store
    close()
    const store = openReadOnlyStore(sqlite, path)
    if (store !== undefined) opened = { store, untilMs: performance.now() + FRESH_MS }
    return store
  }
  return {
    isFresh,
    read: (work, reason) => {
      let store: ReadableStore | undefined
      try {
        store = open()
      } catch {
        // told by the reason why it is not opened as usual
      }
      if (store === undefined) throw reason
      try {
        return work(store)
      } catch (error) {
        // What looks like damage without locks may be another process's writing.
        throw storeProblem(error)?.kind === 'damaged' ? reason : error
      }
    },
    close,
  }
}
