import type { FleetConfig } from '../config/fleet.ts'
import type { FleetServer } from '../config/fleet-url.ts'
import { Failure } from '../core/failure.ts'
import { connectToPrimary, destroy, type Connected } from './connect.ts'
import { createSeal } from './seal.ts'
import { READ_ONLY, describeError } from './server-errors.ts'
import { checkSchema } from './server.ts'

/** One node of the address, and what it is. */
export interface ExaminedNode {
  /** `host:port` */
  readonly name: string
  readonly kind: 'primary' | 'standby' | 'unusable' | 'misconfigured'
  /** Why relays cannot use it. */
  readonly reason?: string
}

/** The fleet's PostgreSQL, as a relay would find it. */
export interface ExaminedFleet {
  readonly nodes: readonly ExaminedNode[]
  /** What is wrong with the tables, the secret or the rights; undefined if a relay can use them, or no node accepts writes. */
  readonly problem?: Failure
  /** Settings of the primary that decide what a commit means; absent if there is none. */
  readonly durability?: Durability
}

export interface Durability {
  /** `synchronous_standby_names`; blank if commits wait for no standby. */
  readonly standbys: string
  readonly synchronous_commit: string
  readonly fsync: string
}

const CONNECT_TIMEOUT_MS = 8000

/** Looks at every node, and changes nothing but which secret the relays have, if none has been used yet. */
export async function examineFleet(fleet: FleetConfig): Promise<ExaminedFleet> {
  const { server } = fleet
  const looks = await Promise.all(server.hosts.map((host) => connectTo({ ...server, hosts: [host] })))
  const primary = looks.find(({ connected }) => connected !== undefined)?.connected
  try {
    const nodes = looks.map(({ node }) => node)
    if (primary === undefined) return { nodes }
    const problem = await schemaProblem(primary, fleet)
    const text = `SELECT current_setting('synchronous_standby_names') AS standbys,
      current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync`
    const { rows } = await primary.client.query<Durability>(text)
    const [durability] = rows
    return {
      nodes,
      ...(problem !== undefined && { problem }),
      ...(durability !== undefined && { durability }),
    }
  } finally {
    for (const { connected } of looks) if (connected !== undefined) destroy(connected.client)
  }
}

interface Look {
  readonly node: ExaminedNode
  readonly connected?: Connected
}

async function connectTo(server: FleetServer): Promise<Look> {
  const [host] = server.hosts
  const name = `${host?.host}:${host?.port}`
  try {
    const connected = await connectToPrimary({
      server,
      first: undefined,
      timeoutMs: CONNECT_TIMEOUT_MS,
      applicationName: 'pagerduty-alert doctor',
    })
    return { node: { name, kind: 'primary' }, connected }
  } catch (error) {
    const reason = describeError(error, server).replace(`${name}: `, '')
    if (reason === READ_ONLY) return { node: { name, kind: 'standby' } }
    const isConfiguration = error instanceof Failure && error.kind === 'config'
    return { node: { name, kind: isConfiguration ? 'misconfigured' : 'unusable', reason } }
  }
}

async function schemaProblem(connected: Connected, fleet: FleetConfig): Promise<Failure | undefined> {
  try {
    await checkSchema(connected, createSeal(fleet))
    return undefined
  } catch (error) {
    return error instanceof Failure
      ? error
      : new Failure('config', `${connected.name}: ${describeError(error, fleet.server)}`, { cause: error })
  }
}
