import { randomUUID } from 'node:crypto'
import type { Deadlines } from '../spool/deadlines.ts'
import type { DeploymentStore } from '../spool/deployment-log.ts'
import { DEFAULT_NAME, keyNames, keysByName } from '../spool/key-names.ts'
import type { EventStore } from '../spool/listing.ts'
import { toRow } from '../spool/rows.ts'
import type { Progress, SpoolItem } from '../spool/spool.ts'
import type { KeyReport, Worker } from '../spool/worker/types.ts'
import { createAlertHolds, toHeld } from './alert-holds.ts'
import { createCanonical } from './canonical-key.ts'
import type { EngineState, Introduction } from './engine.ts'
import { createFleetStore } from './event-store.ts'
import type { FleetItem } from './fleet-items.ts'
import { startFleetQueue, type FleetQueue } from './fleet-queue.ts'
import { startForwarder, type Forwarder } from './forwarder.ts'
import type { LocalDelivery } from './local-delivery.ts'
import type { FleetParts, RelayFleetOptions } from './relay-fleet-parts.ts'
import { createRoom } from './room.ts'
import { startOwnDelivery } from './start-own-delivery.ts'
import { startPresence, type Presence } from './presence.ts'
import { createRelayDeadlines } from './relay-deadlines.ts'
import { createFleetDeployments } from './relay-records.ts'
import { createReservedIds } from './reserved-ids.ts'
import { warnOfRefusals } from './refusals.ts'
import { spooledProgress } from './spooled-progress.ts'
import { createFleetWaiting, type Until } from './waiting.ts'
import { rejoiningFirst } from './rejoining-first.ts'
import { unlessLong } from './within.ts'
import { BUDGET_MS, createWriteThrough, type Accepted, type WriteThrough } from './write-through.ts'

/** The state of the relay and its fleet. */
export interface FleetFigures {
  readonly state: EngineState
  /** The relay's name in the fleet. */
  readonly origin: string
  readonly keysOwned: number
  /** How long its leases last at least; absent if it owns no key. */
  readonly leaseMs: number | undefined
  /** Whether new events go to the spool first. */
  readonly isBehindSpool: boolean
  /** Whether it delivers without the fleet. */
  readonly isAlone: boolean
}

/** A relay's part in a fleet. */
export interface RelayFleet {
  add(items: readonly SpoolItem[]): Promise<Accepted>
  waitFor(accepted: Accepted, until: Until): Promise<Progress[]>
  /** How many events that this relay (or all of them) accepted are not settled; rejects with a `Failure` while the fleet cannot be reached. */
  pending(scope: 'own' | 'all'): Promise<number>
  /** The progress of events that were added to the relay's own spool, wherever they are now. */
  spooledProgress(spoolIds: readonly number[]): Promise<Progress[]>
  readonly store: EventStore
  readonly deployments: DeploymentStore
  readonly deadlines: Deadlines
  figures(): FleetFigures
  keys(): KeyReport[]
  /** Why the fleet takes no more events; undefined if it does, or if they would go to the spool. */
  checkRoom(): string | undefined
  /** Why no event could be delivered or kept, as far as this is known. */
  obstacle(): string | undefined
  /** Gives attempts in flight time to finish, and gives every key back. */
  stop(graceMs: number): Promise<void>
}

/** Joins the fleet. Nothing here fails because the database is away. */
export function startRelayFleet(options: RelayFleetOptions): RelayFleet {
  const { engine, origin, spool, delivery } = options
  const canonical = createCanonical(delivery.keys)
  const parts: FleetParts = {
    canonical,
    isShared: (key) => engine.keepsOwnKeys || canonical(key).kind === 'configured',
    waiting: createFleetWaiting(engine, spool),
    holds: createAlertHolds(!origin.isNew),
    moving: { state: 'fine' },
  }
  warnOfRefusals(options)
  const { local, alone } = startOwnDelivery(options, parts)
  const { writeThrough, forwarder } = startAccepting(options, parts, local)
  const { queue, worker } = startSharedDelivery({ ...options, engine: rejoiningFirst(engine, alone) }, parts)
  const presence = startPresence({ ...options, self: () => introduce(options) })
  const { stopCounting, ...intake } = createIntake(options, parts, writeThrough)
  return {
    ...intake,
    waitFor: async (accepted, until) =>
      accepted.kind === 'added' && accepted.by !== undefined
        ? await parts.waiting.waitFor(accepted.ids, accepted.by, until)
        : [],
    spooledProgress: (spoolIds) => spooledProgress(engine, spool, spoolIds),
    pending: async (scope) => (await engine.pending(scope)) + spool.counts().pending,
    store: createFleetStore({ engine, spool, isShared: parts.isShared }),
    deployments: createFleetDeployments(engine),
    deadlines: createRelayDeadlines({
      engine,
      spool,
      canonical,
      isShared: parts.isShared,
      mode: () =>
        writeThrough.mode() === 'fleet' ? 'fleet' : local.mode() === 'alone' ? 'alone' : 'waiting',
    }),
    figures: () => ({
      ...queue.ownership(),
      state: engine.state(),
      origin: origin.name,
      isBehindSpool: writeThrough.mode() !== 'fleet',
      isAlone: local.mode() === 'alone',
    }),
    keys: () => [worker, local.worker()].flatMap((one) => one.keys()),
    obstacle: () => local.worker().obstacle(),
    stop: async (graceMs) => {
      const ending = [
        alone.stop(),
        forwarder.stop(),
        queue.halt(),
        worker.stop(graceMs),
        local.stop(graceMs),
        stopCounting(),
      ]
      await unlessLong(graceMs + LAST_MS, Promise.all(ending))
      await unlessLong(LEAVE_MS, leave(queue, presence))
      await unlessLong(LAST_MS, engine.close())
    },
  }
}

interface CreatedIntake extends Pick<RelayFleet, 'add' | 'checkRoom'> {
  readonly stopCounting: () => Promise<void>
}

function createIntake(
  { engine, spool, fleet: { limit }, clock, onWarning }: RelayFleetOptions,
  { canonical, isShared }: FleetParts,
  writeThrough: WriteThrough,
): CreatedIntake {
  const room = createRoom({ countPending: (most) => engine.countPending(most), limit, clock, onWarning })
  return {
    add: async (items) => {
      const named = items.map((item) => ({ ...item, key: canonical(item.key) }))
      if (!named.every(({ key }) => isShared(key))) {
        const added = await spool.add(named)
        return added.kind === 'added' ? { ...added, by: 'spool' } : added
      }
      const added = await writeThrough.add(named)
      if (added.kind === 'added' && added.by === 'fleet') room.added(items.length)
      return added
    },
    checkRoom: () =>
      engine.state().kind === 'up' && writeThrough.mode() === 'fleet' ? room.check() : undefined,
    stopCounting: () => room.stop(),
  }
}

function introduce({ origin, delivery, foundKeys }: RelayFleetOptions): Introduction {
  const keys = keysByName(delivery.keys.length > 0 ? delivery.keys : foundKeys())
  return { keys, ...(origin.directoryMark !== undefined && { directoryMark: origin.directoryMark }) }
}

async function leave(queue: FleetQueue, presence: Presence): Promise<void> {
  await queue.giveBack()
  await presence.stop()
}

/** A database that does not answer must not keep the relay from shutting down; its leases then expire. */
const LAST_MS = 200
const LEAVE_MS = 500

/** Accepts events, and moves those that went to the relay's own spool to the fleet. */
function startAccepting(
  { engine, spool, clock, onState }: RelayFleetOptions,
  { canonical, holds, waiting, moving }: FleetParts,
  local: LocalDelivery,
): { writeThrough: WriteThrough; forwarder: Forwarder } {
  const ids = createReservedIds((...wanted) => spool.forwarding.reserveIds(...wanted), Date.now())
  const addToFleet = async (items: readonly FleetItem[]): Promise<readonly number[]> =>
    await engine.add(items)
  const writeThrough = createWriteThrough({
    addToFleet,
    addToSpool: (items, reserved) => spool.add(items, reserved),
    takeIds: (count) => ids.take(count),
    awaitIds: () => unlessLong(BUDGET_MS, ids.refill()),
    randomId: randomUUID,
    toRow: (item) => toRow(item, Date.now()),
    onFallBack: () => forwarder.wake(),
    onAdded: (items, added) => holds.add(items.map(toHeld), added),
  })
  // A relay that has just started waits for the database as long as any event does: if it kept the first ones in its spool,
  // other relays could deliver later events of their alerts before them.
  setTimeout(() => {
    if (writeThrough.mode() === 'held') writeThrough.fallBack()
  }, BUDGET_MS).unref()
  const forwarder = startForwarder({
    spool,
    writeThrough,
    clock,
    keys: engine.keepsOwnKeys ? 'all' : 'configured',
    addToFleet,
    canonical,
    mayForward: () => engine.state().kind === 'up' && local.mode() === 'own' && local.isDelivering(),
    onTried: (isStuck) => (moving.state = isStuck && engine.state().kind === 'up' ? 'stuck' : 'fine'),
    onForwarded: (events, added) => {
      const named = events.map((event) => ({ ...event, key: canonical(event.key) }))
      holds.add(named, added)
      waiting.forwarded(
        events.map(({ id }) => id),
        added,
      )
    },
  })
  void ids.refill()
  engine.onState((state) => {
    onState(state)
    if (state.kind === 'down' && writeThrough.mode() === 'held') writeThrough.fallBack()
    forwarder.wake()
  })
  return { writeThrough, forwarder }
}

/** Delivers the keys of the fleet that this relay owns. */
function startSharedDelivery(
  { engine, clock, delivery, ratePerMinute, launchWorker, events }: RelayFleetOptions,
  { holds, waiting }: FleetParts,
): { queue: FleetQueue; worker: Worker } {
  const queue = startFleetQueue({
    engine,
    clock,
    names: [...new Set([DEFAULT_NAME, ...keyNames(delivery.keys)])],
    timeoutMs: delivery.timeoutMs,
    ratePerMinute,
    onSettled: (progress) => {
      holds.remove([progress.id])
      waiting.settled(progress)
    },
  })
  return { queue, worker: launchWorker({ queue, ratePerMinute, events: events('fleet') }) }
}
