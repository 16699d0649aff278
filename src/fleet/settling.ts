import { Failure } from '../core/failure.ts'
import type { Progress, Settlement } from '../spool/spool.ts'
import type { EngineDelivery, FleetResult, FleetSettlement, Settled } from './engine.ts'
import type { Mirror } from './mirror.ts'

/** Writes results to the server, or keeps them until it can be reached. */
export interface Settling {
  /** Returns why results could not be written, if that is so; they are kept, and the next call, even one without new results, tries to
   * write them. */
  settle(settlements: readonly Settlement[]): Promise<string | undefined>
  /** How many results are only here. */
  unwritten(): number
}

export interface SettlingDeps {
  readonly engine: Pick<EngineDelivery, 'settle'>
  readonly mirror: Mirror
  /** The worker's clock. */
  readonly now: () => number
  /** Called with events that are no longer pending. */
  readonly onSettled: (progress: Progress) => void
  /** Called when the mirror has room again. */
  readonly onRoom: () => void
}

/** Results in one statement. */
const AT_ONCE = 500
/** How long to wait after a failure, unless there is a new result. */
const REWRITE_MS = 500

interface Waiting {
  readonly settlement: FleetSettlement
  readonly progress: Progress | undefined
}

/** Results that come while a statement runs share the next one. */
export function createSettling({ engine, mirror, now, onSettled, onRoom }: SettlingDeps): Settling {
  let waiting: Waiting[] = []
  let writing: Promise<string | undefined> | undefined
  let failedAtMs = Number.NEGATIVE_INFINITY

  const finish = (
    { settlement: { id, keyId, epoch, kind }, progress }: Waiting,
    became: Settled | undefined,
  ): void => {
    mirror.release(id, kind === 'postponed')
    // It may have claimed the key again since then.
    if (became === 'lost' && mirror.lease(keyId)?.epoch === epoch) mirror.drop([keyId])
    if (progress !== undefined && (became !== 'lost' || kind === 'delivered')) onSettled(progress)
  }
  const writeSome = async (): Promise<string | undefined> => {
    const some = waiting.slice(0, AT_ONCE)
    try {
      const became = await engine.settle(some.map(({ settlement }) => settlement))
      waiting = waiting.slice(some.length)
      for (const [index, one] of some.entries()) finish(one, became[index])
      onRoom()
      return undefined
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      failedAtMs = now()
      return error.message
    }
  }
  const write = (): Promise<string | undefined> =>
    (writing ??= writeSome().finally(() => (writing = undefined)))
  return {
    unwritten: () => waiting.length,
    settle: async (settlements) => {
      if (settlements.length === 0 && now() - failedAtMs < REWRITE_MS) return undefined
      const added = settlements.flatMap((settlement) => toWaiting(settlement, mirror, now()) ?? [])
      waiting.push(...added)
      const isWaiting = (): boolean =>
        settlements.length === 0 ? waiting.length > 0 : waiting.includes(added.at(-1) as Waiting)
      while (isWaiting()) {
        const reason = await write()
        if (reason !== undefined) return reason
      }
      return undefined
    },
  }
}

/** Undefined if this relay no longer holds the event. */
function toWaiting(settlement: Settlement, mirror: Mirror, nowMs: number): Waiting | undefined {
  const held = mirror.held(settlement.id)
  if (held === undefined) return undefined
  held.state = 'settling'
  const { id, epoch, checksum, attempts } = held.event
  const { attempt, httpStatus } = settlement
  return {
    settlement: {
      ...toResult(settlement, nowMs),
      id,
      epoch,
      checksum,
      keyId: held.event.keyId,
      ...(attempt !== undefined && { attempt: { agoMs: Math.max(0, nowMs - attempt.atMs), ms: attempt.ms } }),
    },
    progress:
      settlement.kind === 'postponed'
        ? undefined
        : {
            id,
            status: settlement.kind,
            attempts: attempts + 1,
            ...(httpStatus !== undefined && { httpStatus }),
            ...(settlement.kind === 'dead' && { reason: settlement.reason }),
          },
  }
}

function toResult(settlement: Settlement, nowMs: number): FleetResult {
  const { httpStatus } = settlement
  const answer = httpStatus === undefined ? {} : { httpStatus }
  switch (settlement.kind) {
    case 'delivered':
      return { kind: 'delivered', httpStatus: settlement.httpStatus }
    case 'dead':
      return { kind: 'dead', cause: settlement.cause, reason: settlement.reason, ...answer }
    case 'postponed':
      return {
        kind: 'postponed',
        reason: settlement.reason,
        ...answer,
        waitMs: Math.max(0, settlement.dueAtMs - nowMs),
      }
  }
}
