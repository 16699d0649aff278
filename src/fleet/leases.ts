import { Failure } from '../core/failure.ts'
import type { Clock } from '../delivery/retry.ts'
import { createWakeUp } from '../spool/worker/wake-up.ts'
import type { Engine, Renewed } from './engine.ts'
import type { Mirror } from './mirror.ts'
import { CLAIM_MS, createShare, lackOf, type Census } from './share.ts'

/** Claims keys, keeps their leases, and gives them back. */
export interface Leases {
  /** Some keys have something due, and nobody may own them. */
  claimSoon(): void
  /** Stops, and gives every key back. */
  stop(): Promise<void>
}

export interface LeasesDeps {
  readonly engine: Pick<Engine, 'renew' | 'claim' | 'release'>
  readonly mirror: Mirror
  readonly clock: Clock
  /** The lease's clock. */
  readonly now: () => number
  readonly leaseMs: number
  /** Names of configured keys that this relay can send with. */
  readonly names: readonly string[]
  /** Called after keys were claimed. */
  readonly onClaimed: (keyIds: ReadonlySet<number>) => void
}

/** How many times a lease is renewed before it would end. */
const RENEWALS = 5
/**
 * Every event of a key that another relay owns can be news that make this one claim. After each claim it pauses for this many
 * times as long as that took, so that claims never keep the server, or deliveries, from their work.
 */
const PAUSE_RATIO = 9
/** A key is given back after it was idle for that long. */
const IDLE_MS = 10_000
/** Keys that one statement claims or gives back. */
const AT_ONCE = 1000

/** Starts at once. While the server is away, leases run out, and it keeps trying. */
export function startLeases(deps: LeasesDeps): Leases {
  const { engine, mirror, clock, now, leaseMs } = deps
  const stopping = new AbortController()
  const wakeUp = createWakeUp(clock, stopping.signal)
  const { renew, claim, giveBack } = createExchange(deps)
  const keepRenewing = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await unlessAway(renew)
      await clock.sleep(leaseMs / RENEWALS, stopping.signal)
    }
  }
  const keepClaiming = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const startedAtMs = now()
      const isThere = await unlessAway(async () => {
        while ((await claim()) && !stopping.signal.aborted);
        await giveBack()
      })
      const pauseMs = isThere ? Math.min(CLAIM_MS, PAUSE_RATIO * (now() - startedAtMs)) : CLAIM_MS
      await clock.sleep(pauseMs, stopping.signal)
      if (isThere) await wakeUp.wait(CLAIM_MS - pauseMs)
    }
  }
  const running = Promise.all([keepRenewing(), keepClaiming()])
  return {
    claimSoon: () => wakeUp.trigger(),
    stop: async () => {
      stopping.abort()
      wakeUp.trigger()
      await running
      const held = mirror.leases()
      mirror.drop(mirror.keyIds())
      await unlessAway(() => engine.release(held))
    },
  }
}

interface Exchange {
  readonly renew: () => Promise<void>
  /** Returns whether to claim more at once. */
  readonly claim: () => Promise<boolean>
  readonly giveBack: () => Promise<void>
}

/** What a relay says to the server about its leases. */
function createExchange({ engine, mirror, now, leaseMs, names, onClaimed }: LeasesDeps): Exchange {
  const share = createShare()
  let census: Census = { activeKeys: 0, relays: 1 }
  /** Keys without events are owned for a while, but are nobody’s share: the server counts those with events, too. */
  const inUse = (): number => mirror.keyIds().length - mirror.idleKeyIds(now()).length
  return {
    renew: async () => {
      const askedAtMs = now()
      const asked = mirror.leases()
      const { leases, relays }: Renewed = await engine.renew(leaseMs, asked)
      mirror.renew(asked, leases, askedAtMs + leaseMs)
      census = { ...census, relays }
    },
    claim: async () => {
      const askedAtMs = now()
      const most = Math.min(AT_ONCE, share.toClaim(census, inUse(), askedAtMs))
      const { leases, activeKeys } = await engine.claim({ most, leaseMs, names })
      census = { ...census, activeKeys }
      const keyIds = leases.map(({ keyId }) => keyId)
      share.claimed(keyIds, now())
      if (leases.length === 0) return false
      mirror.own(leases, askedAtMs + leaseMs)
      onClaimed(new Set(keyIds))
      return leases.length === most && lackOf(census, inUse()) > 0
    },
    giveBack: async () => {
      const idle = mirror.idleKeyIds(now() - IDLE_MS).slice(0, AT_ONCE)
      const { due, later } = mirror.waitingKeyIds()
      const waiting = { due: due.length, later: later.length }
      const surplus = share.toGiveBack(census, inUse(), waiting, now())
      const dueIds = due.slice(0, surplus.due)
      const keyIds = [...idle, ...dueIds, ...later.slice(0, surplus.later)]
      if (keyIds.length === 0) return
      const held = keyIds.flatMap((keyId) => mirror.lease(keyId) ?? [])
      mirror.drop(keyIds) // before the server knows, so that no attempt begins
      share.gaveBack(dueIds, surplus.later, now())
      await engine.release(held, dueIds)
    },
  }
}

/** Returns whether the server could be reached. */
async function unlessAway(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return false
  }
}
