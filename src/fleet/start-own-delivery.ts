import { startAlone, tellingAlone, type Alone } from './alone.ts'
import { startLocalDelivery, type LocalDelivery } from './local-delivery.ts'
import type { FleetParts, RelayFleetOptions } from './relay-fleet-parts.ts'

/** The share of the rate that a relay uses alone: others may do the same with the same keys. */
const ALONE_SHARE = 1 / 4

/** Delivers from the relay's own spool what the fleet does not take, or everything while the fleet is away for long. */
export function startOwnDelivery(
  { engine, spool, clock, fleet, ratePerMinute, launchWorker, events }: RelayFleetOptions,
  { canonical, isShared, holds, moving }: FleetParts,
): { local: LocalDelivery; alone: Alone } {
  const aloneRate = Math.max(1, Math.floor(ratePerMinute * ALONE_SHARE))
  const local = startLocalDelivery({
    queue: spool.queue,
    launchWorker: (queue, mode) =>
      mode === 'own'
        ? launchWorker({ queue, ratePerMinute, events: events('spool') })
        : launchWorker({
            queue,
            ratePerMinute: aloneRate,
            events: tellingAlone(events('alone'), (report, settled) => alone.settled(report, settled)),
          }),
    isAllowed: (mode, key, event) =>
      mode === 'alone' ? event === undefined || !holds.isHeld(canonical(key), event) : !isShared(key),
  })
  const alone = startAlone({
    engine,
    spool,
    local,
    holds,
    clock,
    afterMs: fleet.aloneAfterMs,
    canonical,
    moving,
  })
  return { local, alone }
}
