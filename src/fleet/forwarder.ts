import { Failure } from '../core/failure.ts'
import type { Clock } from '../delivery/retry.ts'
import type { Event } from '../core/event.ts'
import type { ForwardedEvent } from '../spool/forwarding.ts'
import type { ListedSpool } from '../spool/listing.ts'
import { checksumOf, toRow } from '../spool/rows.ts'
import type { SpoolItem, SpoolKey } from '../spool/spool.ts'
import { createWakeUp } from '../spool/worker/wake-up.ts'
import type { FleetItem } from './fleet-items.ts'
import { groupByDeployment } from './deployment-groups.ts'
import { within } from './within.ts'
import { AT_ONCE, BUDGET_MS, type WriteThrough } from './write-through.ts'

/** Moves events from the relay's own spool to the fleet, in their order. */
export interface Forwarder {
  wake(): void
  /** How many events are still here that belong to the fleet; counted up to one statement's worth. */
  left(): number
  stop(): Promise<void>
}

export interface ForwarderDeps {
  readonly spool: ListedSpool
  readonly writeThrough: WriteThrough
  readonly clock: Clock
  /** Which events the fleet takes. */
  readonly keys: 'configured' | 'all'
  readonly addToFleet: (items: readonly FleetItem[]) => Promise<readonly number[]>
  /** The name of a key in the fleet. */
  readonly canonical: (key: SpoolKey) => SpoolKey
  /** Whether this process may take events out of the spool, and the fleet can be reached. */
  readonly mayForward: () => boolean
  /** Called after each look for events to move: whether the fleet did not take them. */
  readonly onTried: (isStuck: boolean) => void
  /** Called after events were moved: what they are, and their ids in the fleet. */
  readonly onForwarded: (events: readonly ForwardedEvent[], ids: readonly number[]) => void
}

/** How often to look whether another process has added something. */
const POLL_MS = 250
const RETRY_MS = 500
/** The fleet may take longer than for a caller's event, since nobody waits. */
const PATIENCE_MS = 10_000

/** Starts at once. */
export function startForwarder(deps: ForwarderDeps): Forwarder {
  const { spool, writeThrough, clock, mayForward } = deps
  const stopping = new AbortController()
  const wakeUp = createWakeUp(clock, stopping.signal)
  const forward = createForward(deps)
  const oldest = (limit = AT_ONCE): ForwardedEvent[] => spool.forwarding.oldest(limit, deps.keys)

  /** While new events are held back, what is left can be moved, and then they need not go behind anything. */
  const close = async (): Promise<void> => {
    await writeThrough.hold()
    try {
      for (let some = oldest(); some.length > 0; some = oldest()) await forward(some, BUDGET_MS)
      writeThrough.open()
    } catch (error) {
      writeThrough.fallBack()
      throw error
    }
  }
  /** Returns how long to wait before the next look; undefined if nothing may be moved now. */
  const work = async (): Promise<number | undefined> => {
    if (!mayForward()) return undefined
    const some = oldest()
    if (some.length === AT_ONCE || (some.length > 0 && writeThrough.mode() === 'fleet')) {
      await forward(some, PATIENCE_MS)
      return 0
    }
    if (writeThrough.mode() === 'fleet') return POLL_MS
    await close()
    return 0
  }
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const waitMs = await work()
        if (waitMs !== undefined) deps.onTried(false)
        await wakeUp.wait(waitMs ?? POLL_MS)
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        await clock.sleep(RETRY_MS, stopping.signal)
      }
    }
  }
  const running = run()
  return {
    wake: () => wakeUp.trigger(),
    left: () => oldest().length,
    stop: async () => {
      stopping.abort()
      wakeUp.trigger()
      await running
    },
  }
}

/** A function that moves events. @throws Failure if that fails; then they are still in the spool */
function createForward({
  spool,
  addToFleet,
  canonical,
  onTried,
  onForwarded,
}: ForwarderDeps): (events: readonly ForwardedEvent[], timeoutMs: number) => Promise<void> {
  const fail = (error: unknown): never => {
    onTried(true)
    throw error
  }
  return async (events, timeoutMs) => {
    const groups = groupByDeployment(
      spool.forwarding,
      events.map(({ id }) => id),
    )
    const whole = events.slice(0, lengthOfWhole(groups.map(({ request }) => request)))
    const damaged = whole.filter((event) => checksumOf(event.key, event.kind, event.body) !== event.checksum)
    await discard(spool, damaged)
    const good = whole.filter((event) => !damaged.includes(event))
    const items = good.map((event): FleetItem => ({
      ...toRow(toItem(event, canonical), event.acceptedAtMs),
      body: event.body,
      originId: String(event.id),
      ageMs: Math.max(0, spool.queue.now() - event.acceptedAtMs),
      ...groups[whole.indexOf(event)],
    }))
    const ids = items.length === 0 ? [] : await within(timeoutMs, addToFleet(items)).catch(fail)
    const reason = await spool.forwarding.remove(good.map(({ id }) => id))
    onForwarded(good, ids)
    if (reason !== undefined) throw new Failure('undelivered', reason) // they will be added again, which changes nothing
  }
}

/**
 * How many of these events to move in one statement: the last ones wait for the next if more of their deployment may follow, so
 * that the fleet learns of all of them together.
 */
function lengthOfWhole(deployments: readonly (number | undefined)[]): number {
  const last = deployments.at(-1)
  if (deployments.length < AT_ONCE || last === undefined) return deployments.length
  return deployments.findLastIndex((deployment) => deployment !== last) + 1 || deployments.length
}

async function discard(spool: ListedSpool, damaged: readonly ForwardedEvent[]): Promise<void> {
  if (damaged.length === 0) return
  const reason = 'checksum mismatch: it was corrupted on disk, so it was not sent'
  await spool.queue.settle(damaged.map(({ id }) => ({ kind: 'dead', cause: 'damaged', id, reason })))
}

function toItem({ kind, key, body }: ForwardedEvent, canonical: (key: SpoolKey) => SpoolKey): SpoolItem {
  return { event: { kind, body: JSON.parse(body) as Event['body'] }, key: canonical(key) }
}
