import { setTimeout as sleep } from 'node:timers/promises'
import { composeEngine } from '../compose.ts'
import type { DeliveryConfig } from '../config/delivery.ts'
import type { FleetConfig } from '../config/fleet.ts'
import type { SpoolConfig } from '../config/spool.ts'
import { deploymentOf } from '../core/deployment.ts'
import { Failure } from '../core/failure.ts'
import type { Post } from '../delivery/request.ts'
import { createCanonical } from '../fleet/canonical-key.ts'
import type { Engine } from '../fleet/engine.ts'
import type { FleetAlert } from '../fleet/engine-listing.ts'
import { toFleetItems } from '../fleet/fleet-items.ts'
import type { RelayFleet } from '../fleet/relay-fleet.ts'
import { within } from '../fleet/within.ts'
import type { Log } from '../log.ts'
import type { KeyLookUp } from '../rest/remember-key.ts'
import { toSpoolKey } from '../spool/key-names.ts'
import type { ListedSpool } from '../spool/listing.ts'
import type { Progress } from '../spool/spool.ts'
import { version } from '../version.ts'
import { joinFleet } from './join-fleet.ts'
import { recordDeployment } from './record-deployment.ts'
import type { FleetLink, OwnDelivery } from './spool-sending.ts'

export interface FleetLinkOptions {
  readonly fleet: FleetConfig
  readonly delivery: DeliveryConfig
  readonly hostname: string
  readonly log: Log
  readonly lookUp: () => Promise<KeyLookUp | undefined>
}

/** How long an event waits for an answer of the fleet; connecting while three nodes do not answer takes as long. */
const ASK_MS = 3000
/** How long events may take to reach the fleet when there is no time left to wait for their delivery. */
const HAND_OVER_MS = 1000
const POLL_MS = 100

const IN_FLEET = 'an earlier event of the same alert is still waiting in the fleet'
const NO_SECRET = 'a key that is not configured is kept in the fleet only with PAGERDUTY_FLEET_SECRET'
const NOT_KNOWN = 'the fleet does not say whether an earlier event of the same alert is waiting there'

/** A link to the fleet, which opens a connection only when it is used. */
export function createFleetLink(options: FleetLinkOptions): FleetLink {
  const { fleet, log } = options
  const { keys } = options.delivery
  const canonical = createCanonical(keys)
  let opened: Promise<Engine> | undefined
  let failure: Failure | undefined
  // Only reads and records, so it needs no name of its own.
  const engine = async (): Promise<Engine> =>
    await (opened ??= composeEngine({ fleet, origin: 'command', version }))
  const ask = async <T>(question: (engine: Engine) => Promise<T>): Promise<T> =>
    await within(ASK_MS, question(await engine()))
  return {
    findHeld: async (posts) => {
      const alerts = alertsOf(posts, options)
      if (alerts.length === 0) return new Map()
      try {
        const answers = await ask((server) => server.areAlertsPending(alerts.map(({ alert }) => alert)))
        return new Map(
          alerts.flatMap(({ post }, index) => (answers[index] === true ? [[post, IN_FLEET]] : [])),
        )
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        if (failure === undefined) log.warn(`the fleet’s database cannot be queried: ${error.message}`)
        failure = error
        // A trigger overtakes nothing that says more than itself; a resolve before its trigger would leave the alert open.
        return new Map(alerts.flatMap(({ post }) => (isTrigger(post) ? [] : [[post, NOT_KNOWN]])))
      }
    },
    keep: async (posts) => {
      const items = posts.map(({ event, destination }) => ({
        event,
        key: canonical(toSpoolKey(destination.routingKey, keys)),
      }))
      if (fleet.secret === undefined && items.some(({ key }) => key.kind === 'own')) return NO_SECRET
      try {
        await ask((server) => server.add(toFleetItems(items)))
        return undefined
      } catch (error) {
        if (error instanceof Failure) return error.message
        throw error
      }
    },
    note: async (deliveries) => {
      if (!deliveries.some(({ post }) => deploymentOf(post.event, Date.now()) !== undefined)) return
      const note: Engine['noteDeployment'] = async (...told) => {
        if (failure !== undefined) throw failure
        return await ask((server) => server.noteDeployment(...told))
      }
      await recordDeployment({ note }, deliveries, log)
    },
    startDelivery: (spool, config) => startDelivery(options, spool, config),
    close: async () => await (await opened)?.close(),
  }
}

interface AlertOfPost {
  readonly post: Post
  readonly alert: FleetAlert
}

/** The alerts of posts whose keys the fleet takes. */
function alertsOf(
  posts: readonly Post[],
  { fleet, delivery: { keys } }: Pick<FleetLinkOptions, 'fleet' | 'delivery'>,
): AlertOfPost[] {
  const canonical = createCanonical(keys)
  return posts.flatMap((post) => {
    const { kind, body } = post.event
    const key = canonical(toSpoolKey(post.destination.routingKey, keys))
    const isShared = key.kind === 'configured' || fleet.secret !== undefined
    if (kind !== 'alert' || body.dedup_key === undefined || !isShared) return []
    return [{ post, alert: { key, dedupKey: body.dedup_key } }]
  })
}

function isTrigger({ event }: Post): boolean {
  return event.body.event_action === 'trigger'
}

async function startDelivery(
  options: FleetLinkOptions,
  spool: ListedSpool,
  config: SpoolConfig,
): Promise<OwnDelivery> {
  const lookUp = await options.lookUp()
  const { shared, leave } = await joinFleet({ ...options, spool, config, lookUp })
  return {
    waitFor: (ids, timeoutMs, signal) => waitFor(shared, spool, { ids, timeoutMs, signal }),
    stop: leave,
  }
}

interface Wait {
  readonly ids: readonly number[]
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

async function waitFor(
  shared: RelayFleet,
  spool: ListedSpool,
  { ids, timeoutMs, signal }: Wait,
): Promise<Progress[]> {
  const startedAtMs = performance.now()
  for (;;) {
    const progress = await shared.spooledProgress(ids)
    const isSettled = progress.every(({ status }) => status !== 'pending')
    const isHandedOver = ids.every((id) => spool.show(id)?.status !== 'pending')
    const mayTakeMs = isHandedOver ? timeoutMs : Math.max(timeoutMs, HAND_OVER_MS)
    const leftMs = startedAtMs + mayTakeMs - performance.now()
    if (isSettled || leftMs <= 0 || signal.aborted) return progress
    await sleep(Math.min(POLL_MS, leftMs), undefined, { signal }).catch(() => undefined)
  }
}
