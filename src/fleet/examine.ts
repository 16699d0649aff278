import type { FleetConfig } from '../config/fleet.ts'
import type { FleetServer } from '../config/fleet-url.ts'
import { Failure } from '../core/failure.ts'
import type { RoutingKey } from '../core/routing-key.ts'
import { keysByName } from '../spool/key-names.ts'
import { connectToPrimary, destroy, type Connected } from './connect.ts'
import { marksOf, toMember, type MemberRow } from './membership.ts'
import { findConflicts, type Member } from './member-conflicts.ts'
import { createSeal, type Seal } from './seal.ts'
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
  /** Names of the relays that are alive, as far as the database knows. */
  readonly relays?: readonly string[]
  /** What is wrong with their settings and these, each with what to do after a semicolon. */
  readonly conflicts?: readonly string[]
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

/**
 * Looks at every node, and changes nothing but which secret the relays have, if none has been used yet.
 * @param keys what a relay with these settings would send with
 */
export async function examineFleet(fleet: FleetConfig, keys: readonly RoutingKey[]): Promise<ExaminedFleet> {
  const { server } = fleet
  const looks = await Promise.all(server.hosts.map((host) => connectTo({ ...server, hosts: [host] })))
  const primary = looks.find(({ connected }) => connected !== undefined)?.connected
  try {
    const nodes = looks.map(({ node }) => node)
    if (primary === undefined) return { nodes }
    const seal = createSeal(fleet)
    const { problem, ...members } = await examineTables(primary, { fleet, seal, keys })
    const text = `SELECT current_setting('synchronous_standby_names') AS standbys,
      current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync`
    const { rows } = await primary.client.query<Durability>(text)
    const [durability] = rows
    return {
      nodes,
      ...members,
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

interface TableParts {
  readonly fleet: FleetConfig
  readonly seal: Seal
  readonly keys: readonly RoutingKey[]
}

async function examineTables(
  connected: Connected,
  { fleet, seal, keys }: TableParts,
): Promise<Pick<ExaminedFleet, 'problem' | 'relays' | 'conflicts'>> {
  try {
    await checkSchema(connected, seal)
    const { rows } = await connected.client.query<MemberRow>(
      'SELECT * FROM pagerduty_alert.relay_processes()',
    )
    const members = rows.map(toMember)
    const relays = [...new Set(members.map(({ relay }) => relay))]
    return { relays, conflicts: findConflicts([...members, ownMember(keys, seal)]) }
  } catch (error) {
    const problem =
      error instanceof Failure
        ? error
        : new Failure('config', `${connected.name}: ${describeError(error, fleet.server)}`, { cause: error })
    return { problem }
  }
}

/** A relay as these settings would make it. */
function ownMember(keys: readonly RoutingKey[], seal: Seal): Member {
  const keyMarks = [...marksOf(keysByName(keys), seal)].map(([name, mark]): [string, string] => [
    name,
    mark.toString('hex'),
  ])
  return {
    relay: 'these settings',
    ...(seal.mark !== null && { secretMark: seal.mark.toString('hex') }),
    keyMarks: new Map(keyMarks),
    startedMsAgo: 0,
    seenMsAgo: 0,
  }
}
