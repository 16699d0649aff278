import { randomUUID } from 'node:crypto'
import type { FleetConfig } from '../config/fleet.ts'
import { createDeadEvents } from './dead-events.ts'
import { createAdd, createAddOn } from './adding.ts'
import { createFleetDeadlines } from './deadlines.ts'
import { createDelivering } from './delivering.ts'
import { createDeployments } from './deployments.ts'
import type { Engine } from './engine.ts'
import type { Lane } from './lane.ts'
import { createKeys, createListing } from './listing.ts'
import { createMembership } from './membership.ts'
import { createNews } from './news.ts'
import { createSeal } from './seal.ts'
import { createServer } from './server.ts'

export interface FleetOptions {
  readonly fleet: FleetConfig
  /** The name under which this relay's events and leases are stored: the same after a restart, and no other relay's. */
  readonly origin: string
  readonly version: string
  /** How long the first attempt may take to connect to a node; later ones may take longer. Default: 1 s. */
  readonly connectTimeoutMs?: number
}

/** Connections that add: the server gets a second statement while it syncs the first. */
const ADDING_LANES = 2

/**
 * Opens a relay's connection to the fleet. It connects in the background, and reconnects whenever a connection is lost. Nothing here
 * fails because the server is away.
 */
export function openFleet({ fleet, origin, version, connectTimeoutMs }: FleetOptions): Engine {
  const seal = createSeal(fleet)
  const server = createServer(fleet, seal, connectTimeoutMs)
  const lanes: Record<'delivery' | 'people', Lane> = {
    delivery: server.createLane(),
    people: server.createLane((connected) => news.listenOn(connected)),
  }
  const adding = Array.from({ length: ADDING_LANES }, () => server.createLane())
  const id = randomUUID()
  const news = createNews(() => lanes.people, id)
  const addOn = createAddOn({ seal, origin, news })
  const keys = createKeys(lanes.people, seal)
  return {
    origin,
    keepsOwnKeys: fleet.secret !== undefined,
    state: server.state,
    onState: server.onState,
    onRefused: server.onRefused,
    onDue: news.onDue,
    onChange: news.onChange,
    add: createAdd(adding, addOn),
    deadlines: createFleetDeadlines({ lane: lanes.people, seal, addOn }),
    ...createDelivering({ lane: lanes.delivery, seal, relay: origin, version, news }),
    ...createListing({ lane: lanes.people, seal, origin }),
    ...createDeadEvents({ lane: lanes.people, keys, relay: origin, news }),
    ...createDeployments(lanes.people),
    ...createMembership({ lane: lanes.people, seal, relay: origin, id }),
    close: async () => {
      news.close()
      await Promise.all([...adding, lanes.delivery, lanes.people].map((lane) => lane.close()))
    },
  }
}
