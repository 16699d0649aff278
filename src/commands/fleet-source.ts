import { composeSpool } from '../compose.ts'
import type { FleetConfig } from '../config/fleet.ts'
import type { SpoolConfig } from '../config/spool.ts'
import type { RelayFleet } from '../fleet/relay-fleet.ts'
import type { Log } from '../log.ts'
import type { ListedSpool } from '../spool/listing.ts'
import { askFleet } from './ask-fleet.ts'
import { describeDead, MAX_NAMED, type FlushSource } from './flush-sources.ts'
import { joinFleet } from './join-fleet.ts'
import { keyLookUp, type RestContext } from './rest-access.ts'

export interface FleetSourceOptions {
  readonly fleet: FleetConfig
  readonly spool: SpoolConfig
  readonly hostname: string
  /** Whether events of other relays count, too. */
  readonly all: boolean
}

/** How long an attempt in flight may still take after the deadline. */
const GRACE_MS = 1000
const NOT_MOVED = 'deadlines of deployments are not in the fleet yet'

/**
 * The events of a spool's directory that were moved to its fleet, or still have to be. This process moves them, and delivers
 * with the other relays until all are settled.
 */
export async function createFleetSource(
  context: RestContext,
  { fleet, spool: spoolConfig, hostname, all }: FleetSourceOptions,
): Promise<FlushSource> {
  const { log } = context
  const spool = await composeSpool({ ...spoolConfig, onWarning: (message) => log.warn(message) })
  const { shared, name, leave } = await joinFleet({
    fleet,
    spool,
    config: spoolConfig,
    delivery: context.config.delivery,
    hostname,
    log,
    lookUp: await keyLookUp(context),
  })
  const watchDeadlines = createWatchDeadlines({ shared, spool, log })
  return {
    name: 'fleet',
    read: () =>
      askFleet(async () => {
        // This one waits for a connection; the lists do not.
        const pending = await shared.pending(all ? 'all' : 'own')
        const unwatched = await watchDeadlines()
        if (unwatched !== undefined) return unwatched
        const everything = await shared.store.counts()
        const listed = await shared.store.list('dead', MAX_NAMED)
        const isCounted = ({ where, origin: by }: (typeof listed)[number]): boolean =>
          all || where === 'spool' || by === name
        const dead = listed.filter(isCounted)
        const counts = { ...everything, pending, dead: all ? everything.dead : dead.length }
        return { counts, dead: dead.map(describeDead), setAside: spool.setAside() }
      }),
    close: async () => {
      await leave(GRACE_MS)
      await spool.close()
    },
  }
}

interface WatchDeadlinesParts {
  readonly shared: RelayFleet
  readonly spool: ListedSpool
  readonly log: Log
}

/** A function that moves the spool's deadlines to the fleet, triggers what is over, and returns why it must be called again. */
function createWatchDeadlines({
  shared,
  spool,
  log,
}: WatchDeadlinesParts): () => Promise<string | undefined> {
  let isDone = false
  return async () => {
    const { open, overdue } = spool.deadlines.counts()
    if (isDone && open + overdue === 0) return undefined
    if (shared.figures().isBehindSpool) return open + overdue === 0 ? undefined : NOT_MOVED
    const { missed, problem } = await shared.deadlines.expire()
    for (const { summary } of missed) log.warn(`the failure alert is triggered: ${summary}`)
    isDone = problem === undefined
    return problem
  }
}
