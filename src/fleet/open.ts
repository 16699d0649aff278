import { randomUUID } from 'node:crypto'
import type { FleetConfig } from '../config/fleet.ts'
import { createDeadEvents } from './dead-events.ts'
import { createDelivering, placeholders } from './delivering.ts'
import { createDeployments } from './deployments.ts'
import type { Engine, FleetItem } from './engine.ts'
import type { Lane } from './lane.ts'
import { createKeys, createListing } from './listing.ts'
import { createNews, type News } from './news.ts'
import { toColumns } from './rows.ts'
import { createSeal, type Seal } from './seal.ts'
import { createServer } from './server.ts'

export interface FleetOptions {
  readonly fleet: FleetConfig
  /** The name under which this relay's events and leases are stored: the same after a restart, and no other relay's. */
  readonly origin: string
  readonly version: string
}

/** Connections that add: the server gets a second statement while it syncs the first. */
const ADDING_LANES = 2

/**
 * Opens a relay's connection to the fleet. It connects in the background, and again whenever a connection is lost; nothing here
 * fails because the server is away.
 */
export function openFleet({ fleet, origin, version }: FleetOptions): Engine {
  const seal = createSeal(fleet.secret)
  const server = createServer(fleet, seal)
  const lanes: Record<'delivery' | 'people', Lane> = {
    delivery: server.createLane(),
    people: server.createLane((connected) => news.listenOn(connected)),
  }
  const adding = Array.from({ length: ADDING_LANES }, () => server.createLane())
  const news = createNews(() => lanes.people, randomUUID())
  const keys = createKeys(lanes.people, seal)
  return {
    origin,
    keepsOwnKeys: fleet.secret !== undefined,
    state: server.state,
    onState: server.onState,
    onDue: news.onDue,
    onChange: news.onChange,
    add: createAdd(adding, { seal, origin, news }),
    ...createDelivering({ lane: lanes.delivery, seal, relay: origin, version, news }),
    ...createListing({ lane: lanes.people, seal, origin }),
    ...createDeadEvents({ lane: lanes.people, keys, relay: origin, news }),
    ...createDeployments(lanes.people),
    close: async () => {
      news.close()
      await Promise.all([...adding, lanes.delivery, lanes.people].map((lane) => lane.close()))
    },
  }
}

interface AddParts {
  readonly seal: Seal
  readonly origin: string
  readonly news: News
}

interface AddedRow {
  readonly id: number
  readonly key_id: number
  readonly is_due: boolean
}

function createAdd(lanes: readonly Lane[], { seal, origin, news }: AddParts): Engine['add'] {
  let next = 0
  return async (items: readonly FleetItem[]) => {
    if (items.length === 0) return []
    const values = [origin, ...toColumns(items, seal)]
    const lane = lanes[next++ % lanes.length]
    const text = `SELECT * FROM pagerduty_alert.add(${placeholders(values)})`
    const rows = (await lane?.run<AddedRow>(text, values)) ?? []
    const ids = rows.map(({ id }) => id)
    const due = rows.flatMap(({ key_id: keyId, is_due: isDue }) => (isDue ? [keyId] : []))
    news.tell({ dueKeyIds: [...new Set(due)], changedIds: ids })
    return ids
  }
}
