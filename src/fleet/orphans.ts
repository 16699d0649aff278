import type { Held } from './key-mirror.ts'

/** Events whose key was lost while they were attempted. */
export interface Orphans {
  readonly add: (held: Held) => void
  readonly get: (id: number) => Held | undefined
  readonly list: () => Held[]
  readonly release: (id: number) => void
}

/** None yet. @param keptMs after that an attempt is over, with or without a result */
export function createOrphans(now: () => number, keptMs: number): Orphans {
  const orphans = new Map<number, Held & { readonly untilMs: number }>()
  return {
    add: (held) => void orphans.set(held.event.id, { ...held, untilMs: now() + keptMs }),
    get: (id) => orphans.get(id),
    list: () => {
      for (const [id, { state, untilMs }] of orphans)
        if (state !== 'settling' && untilMs < now()) orphans.delete(id)
      return [...orphans.values()]
    },
    release: (id) => orphans.delete(id),
  }
}
