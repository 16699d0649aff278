import { Failure } from '../core/failure.ts'
import type { Clock } from '../delivery/retry.ts'
import { createWakeUp } from '../spool/worker/wake-up.ts'
import type { Engine, Renewed } from './engine.ts'
import type { Mirror } from './mirror.ts'
import { keysToClaim, keysToGiveBack, type Census } from './share.ts'

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
/** How often to look for keys that nobody owns. */
const CLAIM_MS = 1000
/** A key is given back after it was idle for that long. */
const IDLE_MS = 10_000
/** Keys that one statement claims or gives back. */
const AT_ONCE = 1000

/** Starts at once. While the server is away, leases run out, and it keeps trying. */
export function startLeases({ engine, mirror, clock, now, leaseMs, names, onClaimed }: LeasesDeps): Leases {
  const stopping = new AbortController()
  let census: Census = { activeKeys: 0, relays: 1 }
  const wakeUp = createWakeUp(clock, stopping.signal)

  /** Keys without events are owned for a while, but are nobody's share. */
  const inUse = (): number => mirror.keyIds().length - mirror.idleKeyIds(now() - CLAIM_MS).length
  const renew = async (): Promise<void> => {
    const askedAtMs = now()
    const asked = mirror.leases()
    const { leases, relays }: Renewed = await engine.renew(leaseMs, asked)
    mirror.renew(asked, leases, askedAtMs + leaseMs)
    census = { ...census, relays }
  }
  const claim = async (): Promise<void> => {
    const askedAtMs = now()
    const most = Math.min(AT_ONCE, keysToClaim(census, inUse()))
    const { leases, activeKeys } = await engine.claim({ most, leaseMs, names })
    census = { ...census, activeKeys }
    if (leases.length === 0) return
    mirror.own(leases, askedAtMs + leaseMs)
    onClaimed(new Set(leases.map(({ keyId }) => keyId)))
    if (leases.length === most && keysToClaim(census, inUse()) > 1) wakeUp.trigger()
  }
  const giveBack = async (): Promise<void> => {
    const idle = mirror.idleKeyIds(now() - IDLE_MS)
    const surplus = mirror.waitingKeyIds().slice(0, keysToGiveBack(census, inUse()))
    const keyIds = [...idle, ...surplus].slice(0, AT_ONCE)
    if (keyIds.length === 0) return
    const held = keyIds.flatMap((keyId) => mirror.lease(keyId) ?? [])
    mirror.drop(keyIds) // before the server knows, so that no attempt begins
    await engine.release(held)
  }
  const keepRenewing = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await unlessAway(renew)
      await clock.sleep(leaseMs / RENEWALS, stopping.signal)
    }
  }
  const keepClaiming = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const isThere = await unlessAway(async () => {
        await claim()
        await giveBack()
      })
      if (isThere) await wakeUp.wait(CLAIM_MS)
      else await clock.sleep(CLAIM_MS, stopping.signal)
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
