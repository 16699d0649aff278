import type { FleetConfig } from '../config/fleet.ts'
import type { Event, EventBody } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import type { Spool, SpoolItem } from '../spool/spool.ts'
import { placeOf } from './rows.ts'
import { createSeal, type Seal } from './seal.ts'
import { createServer } from './server.ts'

/** Events that are moved at once. */
const AT_ONCE = 256
/** The owner of the keys during the export; no relay has such a name. */
const OWNER = '(export)'

interface Row {
  readonly id: number
  readonly key_name: string
  readonly key_secret: Buffer | null
  readonly kind: Event['kind']
  readonly alert: string | null
  readonly body: Buffer
}

/**
 * Moves every pending event of a fleet into a spool, in its order, when a team leaves the fleet. An event is removed from the
 * database only after it is synced to the spool, so nothing is lost, and what an interruption leaves in both is delivered twice.
 * @returns how many events were moved
 * @throws Failure if relays still use the fleet, an event cannot be read, or the spool takes no more
 */
export async function exportFleet(fleet: FleetConfig, spool: Pick<Spool, 'add'>): Promise<number> {
  const seal = createSeal(fleet)
  const lane = createServer(fleet, seal).createLane()
  try {
    const relays = await lane.run<{ name: string }>('SELECT pagerduty_alert.begin_export($1) AS name', [
      OWNER,
    ])
    if (relays.length > 0)
      throw new Failure(
        'config',
        `relays still use the fleet: ${relays.map(({ name }) => name).join(', ')}; stop them, and wait for 30 s if one was killed`,
      )
    let count = 0
    for (;;) {
      const rows = await lane.run<Row>('SELECT * FROM pagerduty_alert.first_pending($1)', [AT_ONCE])
      if (rows.length === 0) break
      await addTo(
        spool,
        rows.map((row) => toItem(row, seal)),
      )
      await lane.run('SELECT pagerduty_alert.remove_exported($1)', [rows.map(({ id }) => id)])
      count += rows.length
    }
    await lane.run('SELECT pagerduty_alert.release($1, NULL, NULL)', [OWNER])
    return count
  } finally {
    await lane.close()
  }
}

async function addTo(spool: Pick<Spool, 'add'>, items: readonly SpoolItem[]): Promise<void> {
  const added = await spool.add(items)
  if (added.kind === 'full') throw new Failure('undelivered', 'the spool is full')
  if (added.kind === 'unavailable')
    throw new Failure('undelivered', `the spool accepts nothing: ${added.reason}`)
}

function toItem(row: Row, seal: Seal): SpoolItem {
  const text = seal.open(row.body, placeOf(row))
  if (text === undefined)
    throw new Failure(
      'config',
      `event ${row.id} of the fleet was altered; discard it, or deliver it with a relay`,
    )
  const body = JSON.parse(text) as EventBody
  return { event: { kind: row.kind, body }, key: seal.openKey(row.key_name, row.key_secret) }
}
