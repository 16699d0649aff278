import { composeRelayFleet, composeTransport } from '../compose.ts'
import type { DeliveryConfig } from '../config/delivery.ts'
import type { FleetConfig } from '../config/fleet.ts'
import type { SpoolConfig } from '../config/spool.ts'
import { readOrigin } from '../fleet/origin.ts'
import type { RelayFleet } from '../fleet/relay-fleet.ts'
import type { Log } from '../log.ts'
import type { KeyLookUp } from '../rest/remember-key.ts'
import type { ListedSpool } from '../spool/listing.ts'
import { version } from '../version.ts'

/** What a command needs to join a fleet. */
export interface Joining {
  readonly fleet: FleetConfig
  /** Moved to the fleet. The command joins under the name of its directory. */
  readonly spool: ListedSpool
  readonly config: SpoolConfig
  readonly delivery: DeliveryConfig
  readonly hostname: string
  readonly log: Log
  readonly lookUp: KeyLookUp | undefined
}

/** A command's part in a fleet. */
export interface JoinedFleet {
  readonly shared: RelayFleet
  /** The name under which the command has joined. */
  readonly name: string
  /** Gives attempts in flight time to finish, and closes the connections. */
  readonly leave: (graceMs: number) => Promise<void>
}

/** Joins a fleet like a relay: moves a spool's events there, and delivers them with the others. */
export async function joinFleet(joining: Joining): Promise<JoinedFleet> {
  const { fleet, spool, config, delivery, hostname, log, lookUp } = joining
  const origin = readOrigin(config.directory, hostname)
  const transport = composeTransport(delivery)
  const shared = await composeRelayFleet({
    fleet,
    origin,
    spool,
    delivery,
    transport,
    version,
    maxAgeMs: config.maxAgeMs,
    lookUp,
    events: () => ({
      onDelivered: () => undefined,
      onRetry: ({ reason }) => log.info(`an attempt failed: ${reason}`),
      onDead: () => undefined,
      onLock: () => undefined,
      onStoreProblem: () => undefined,
    }),
    onWarning: (message) => log.warn(message),
    onState: (state) =>
      log.debug(state.kind === 'up' ? `the fleet’s database answers: ${state.host}` : state.reason),
  })
  return {
    shared,
    name: origin.name,
    leave: async (graceMs) => {
      await shared.stop(graceMs)
      await transport.close()
    },
  }
}
