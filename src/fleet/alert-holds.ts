import type { ForwardedEvent } from '../spool/forwarding.ts'
import type { Event } from '../core/event.ts'
import type { DueEvent, SpoolItem, SpoolKey } from '../spool/spool.ts'
import { keyText } from '../spool/rows.ts'

/**
 * Alerts whose earlier events of this relay are in the fleet, and may not be delivered yet. While the fleet cannot be reached,
 * later events of such an alert have to wait in the relay's own spool.
 */
export interface AlertHolds {
  /** The fleet has these events now. */
  add(events: readonly HeldEvent[], ids: readonly number[]): void
  /** The fleet's events of these ids are no longer pending. */
  remove(ids: Iterable<number>): void
  /** Ids of the events that may be pending, the oldest first. */
  ids(limit: number): number[]
  /** Whether the event has to wait. If it is not known what the fleet has, everything waits except triggers, which matter most. */
  isHeld(key: SpoolKey, event: Pick<DueEvent, 'dedupKey' | 'body'>): boolean
  /** Whether the fleet may have events of this relay that are not known here. */
  isUnknown(): boolean
  /** Every pending event of this relay was added. */
  setKnown(): void
}

/** An event, as a caller gave it or as the spool had it. */
export type HeldEvent = Pick<ForwardedEvent, 'key' | 'dedupKey'>

/** If there are more, they are not remembered one by one. */
const MAX_EVENTS = 20_000

export function toHeld({ key, event }: SpoolItem): HeldEvent {
  const dedupKey = event.kind === 'alert' ? event.body.dedup_key : undefined
  return { key, ...(dedupKey !== undefined && { dedupKey }) }
}

/** Holds nothing yet. @param isUnknown whether the fleet may have events of an earlier process of this relay */
export function createAlertHolds(isUnknown: boolean): AlertHolds {
  const alertOf = new Map<number, string>()
  const counts = new Map<string, number>()
  let isPartial = isUnknown
  const nameOf = (key: SpoolKey, dedupKey: string): string => `${key.kind} ${keyText(key)} ${dedupKey}`
  const remove = (id: number): void => {
    const alert = alertOf.get(id)
    if (alert === undefined) return
    alertOf.delete(id)
    const count = (counts.get(alert) ?? 0) - 1
    if (count > 0) counts.set(alert, count)
    else counts.delete(alert)
  }
  return {
    add: (events, ids) => {
      for (const [index, { key, dedupKey }] of events.entries()) {
        const id = ids[index]
        if (id === undefined || dedupKey === undefined || alertOf.has(id)) continue
        if (alertOf.size >= MAX_EVENTS) isPartial = true
        else {
          const alert = nameOf(key, dedupKey)
          alertOf.set(id, alert)
          counts.set(alert, (counts.get(alert) ?? 0) + 1)
        }
      }
    },
    remove: (ids) => Iterator.from(ids).forEach(remove),
    ids: (limit) => [...alertOf.keys().take(limit)],
    isHeld: (key, { dedupKey, body }) =>
      dedupKey !== undefined && (counts.has(nameOf(key, dedupKey)) || (isPartial && !isTrigger(body))),
    isUnknown: () => isPartial,
    setKnown: () => {
      isPartial = false
    },
  }
}

function isTrigger(body: string): boolean {
  return (JSON.parse(body) as Event['body']).event_action === 'trigger'
}
