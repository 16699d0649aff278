import { isoTime } from '../core/iso-time.ts'
import { Failure } from '../core/failure.ts'
import type { RelayDeps } from './context.ts'
import { headlineOf, type Headline } from './headline.ts'

/** The counts of a relay that keeps no events. */
export const NO_EVENTS = { pending: 0, delivered: 0, dead: 0 } as const

/** The sentence on top of the page, from what the relay knows now. Never rejects because of the disk. */
export async function currentHeadline({ spool, checkReady, now }: RelayDeps): Promise<Headline> {
  const notReady = checkReady()
  const nowMs = now()
  if (spool === undefined || notReady !== undefined) return headlineOf({ notReady, nowMs })
  try {
    const [oldestPending] = await spool.list('pending', 1)
    const [firstDead] = await spool.list('dead', 1)
    const oldestDead = firstDead === undefined ? undefined : await spool.show(firstDead.id)
    return headlineOf({ counts: await spool.counts(), oldestPending, oldestDead, nowMs })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return headlineOf({ notReady: error.message, nowMs }) // the disk failed just now
  }
}

/** Its JSON. */
export function describeHeadline({ state, text, sinceMs }: Headline): object {
  return { state, text, since: isoTime(sinceMs) }
}

/** What was read; undefined if the disk fails at that moment. */
export async function unlessStoreFails<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
