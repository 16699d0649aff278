import { Failure } from '../core/failure.ts'
import type { Begun, Deadlines, Expiry } from '../spool/deadlines.ts'
import type { ListedSpool } from '../spool/listing.ts'
import type { SpoolKey } from '../spool/spool.ts'
import type { Engine } from './engine.ts'
import { within } from './within.ts'
import { BUDGET_MS } from './write-through.ts'

export interface RelayDeadlinesDeps {
  readonly engine: Pick<Engine, 'deadlines'>
  readonly spool: Pick<ListedSpool, 'deadlines' | 'forwarding'>
  /** The name of a key in the fleet. */
  readonly canonical: (key: SpoolKey) => SpoolKey
  /** Whether the fleet takes events of the key. */
  readonly isShared: (key: SpoolKey) => boolean
  /**
   * `fleet`: the fleet answers, and has every outcome that this relay has accepted; what is in other relays’ spools is not known.
   * `alone`: the relay delivers what only it has. `waiting`: an outcome may be anywhere.
   */
  readonly mode: () => 'fleet' | 'alone' | 'waiting'
}

/** Deadlines that are moved at once. */
const AT_ONCE = 100

/** The fleet's deadlines, and those that only this relay's spool has, until the fleet takes them. */
export function createRelayDeadlines(deps: RelayDeadlinesDeps): Deadlines {
  const { engine, spool, canonical, isShared, mode } = deps
  return {
    counts: () => {
      const [shared, own] = [engine.deadlines.counts(), spool.deadlines.counts()]
      return { open: shared.open + own.open, overdue: shared.overdue + own.overdue }
    },
    begin: async (start) => {
      const named = { ...start, keys: start.keys.map(canonical) }
      const begun = named.keys.every(isShared) ? await beginInTime(engine, named) : undefined
      return begun === undefined || begun.kind === 'unavailable' ? await spool.deadlines.begin(named) : begun
    },
    expire: async () => {
      const current = mode()
      if (current === 'alone') return await spool.deadlines.expire()
      if (current === 'waiting' || !(await moveAll(deps))) return NOTHING
      const [shared, own] = [await expireInTime(engine), await spool.deadlines.expire()]
      const nextInMs = Math.min(shared.nextInMs ?? Infinity, own.nextInMs ?? Infinity)
      const { open, overdue } = engine.deadlines.counts()
      const problem = (open + overdue > 0 ? shared.problem : undefined) ?? own.problem
      return {
        missed: [...shared.missed, ...own.missed],
        nextInMs: nextInMs === Infinity ? undefined : nextInMs,
        ...(problem !== undefined && { problem }),
      }
    },
  }
}

const NOTHING: Expiry = { missed: [], nextInMs: undefined }

async function beginInTime(
  { deadlines }: RelayDeadlinesDeps['engine'],
  start: Parameters<Engine['deadlines']['begin']>[0],
): Promise<Begun> {
  const over: Begun = { kind: 'unavailable', reason: 'no answer came in time' }
  return await within(BUDGET_MS, deadlines.begin(start)).catch(() => over)
}

async function expireInTime({ deadlines }: RelayDeadlinesDeps['engine']): Promise<Expiry> {
  return await within(BUDGET_MS, deadlines.expire()).catch(() => NOTHING)
}

/**
 * Moves deadlines from the spool to the fleet, which forgets those whose outcome it has. What is left is what the fleet does not
 * take: with a caller's own key, altered on disk, or too many.
 * @returns false if the fleet or the spool did not answer
 */
async function moveAll({ engine, spool, canonical, isShared }: RelayDeadlinesDeps): Promise<boolean> {
  const { open, overdue } = spool.deadlines.counts()
  if (open + overdue === 0) return true
  try {
    for (const { start, row } of spool.forwarding.deadlines(AT_ONCE)) {
      const named = { ...start, keys: start.keys.map(canonical) }
      if (!named.keys.every(isShared)) continue
      const begun = await beginInTime(engine, named)
      if (begun.kind === 'unavailable') return false
      if (begun.kind !== 'full' && (await spool.forwarding.removeDeadline(row)) !== undefined) return false
    }
    return true
  } catch (error) {
    if (error instanceof Failure) return false
    throw error
  }
}
