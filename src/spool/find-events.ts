import type { Connection } from './connection.ts'
import { orFailure } from './errors.ts'
import type { Reads } from './queries.ts'
import type { ListedEvent, ListedSpool, Search } from './listing.ts'
import type { Unwritten } from './unwritten.ts'

/** Events that match, the newest first. Only the store's own numbers of keys are in its index. */
export function findEvents(reads: Reads, { matchesKey, ...search }: Search): ListedEvent[] {
  if (matchesKey === undefined) return reads.find(search)
  const keyIds = reads.keys().flatMap(({ keyId, key }) => (matchesKey(key) ? [keyId] : []))
  return reads.find({ ...search, keyIds })
}

/** Finds events for people, with results that could not be written yet. */
export function createFind(connection: Connection, unwritten: Unwritten): Pick<ListedSpool, 'find' | 'show'> {
  return {
    find: (search) => {
      const found = orFailure(() => connection.read(({ reads }) => findEvents(reads, search)))
      return found.map((event) => ({ ...event, ...unwritten.progress(event.id) }))
    },
    show: (id) => {
      const shown = orFailure(() => connection.read(({ reads }) => reads.show(id)))
      return shown === undefined ? undefined : { ...shown, ...unwritten.progress(id) }
    },
  }
}
