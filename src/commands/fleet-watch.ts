import { composeEngine } from '../compose.ts'
import type { FleetConfig } from '../config/fleet.ts'
import { unlessLong } from '../fleet/within.ts'
import { version } from '../version.ts'
import { askFleet } from './ask-fleet.ts'
import { describeDead, MAX_NAMED, type FlushSource } from './flush-sources.ts'

/** How long the database may take to end the connection. */
const CLOSE_MS = 200
const NOBODY =
  'no relay uses the fleet now: start one, or set PAGERDUTY_SPOOL to a directory, and flush delivers, too'

/** A whole fleet, whose relays deliver: without a spool, this process could not keep what it knows of an attempt. */
export async function createFleetWatch(fleet: FleetConfig): Promise<FlushSource> {
  const engine = await composeEngine({ fleet, origin: 'command', version })
  return {
    name: 'fleet',
    read: () =>
      askFleet(async () => {
        const counts = await engine.counts()
        const pending = await engine.pending('all')
        const dead = await engine.find({ statuses: ['dead'], limit: MAX_NAMED })
        const isAlone = pending > 0 && (await engine.members()).length === 0
        return {
          counts: { ...counts, pending },
          dead: dead.map(describeDead),
          setAside: [],
          ...(isAlone && { note: NOBODY }),
        }
      }),
    close: async () => {
      await unlessLong(CLOSE_MS, engine.close())
    },
  }
}
