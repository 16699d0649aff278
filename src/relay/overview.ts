import type { RelayDeps } from './context.ts'
import { headlineOf, type Headline } from './headline.ts'

/** Counts where nothing is kept. */
export const NO_EVENTS = { pending: 0, delivered: 0, dead: 0 } as const

/** The sentence on top of the page, from what the relay knows now. */
export function currentHeadline({ spool, checkReady, now }: RelayDeps): Headline {
  const notReady = checkReady()
  const nowMs = now()
  if (spool === undefined) return headlineOf({ notReady, nowMs })
  const [oldestPending] = spool.list('pending', 1)
  const [firstDead] = spool.list('dead', 1)
  const oldestDead = firstDead === undefined ? undefined : spool.show(firstDead.id)
  return headlineOf({ counts: spool.counts(), notReady, oldestPending, oldestDead, nowMs })
}

/** Its JSON. */
export function describeHeadline({ state, text, sinceMs }: Headline): object {
  return { state, text, since: sinceMs === undefined ? undefined : new Date(sinceMs).toISOString() }
}
