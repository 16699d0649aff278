import { randomUUID } from 'node:crypto'
import type { AlertEvent, ChangeEvent } from './judge.ts'

/** An alert and its status. */
export interface Alert {
  readonly routingKey: string
  readonly dedupKey: string
  status: 'triggered' | 'acknowledged' | 'resolved'
  /** How many trigger events it has received. */
  triggers: number
  /** The summary of its first trigger, which stays the incident's title. */
  readonly title: string
  readonly openedAtMs: number
  resolvedAtMs?: number
  /** Its latest trigger event. */
  event: AlertEvent
}

/** What an alert event did. An acknowledge or resolve without an open alert is accepted but dropped. */
export type Effect = 'opened' | 'updated' | 'acknowledged' | 'resolved' | 'dropped'

/** What PagerDuty keeps about the events it accepted. */
export interface Ledger {
  /** Every alert, in the order in which they were opened. */
  readonly alerts: readonly Alert[]
  /** Every change event, in the order of arrival. */
  readonly changes: readonly ChangeEvent[]
  /** @returns what it did, and the event's dedup key; a trigger without one gets one here */
  readonly addAlert: (event: AlertEvent) => { effect: Effect; dedupKey: string }
  readonly addChange: (event: ChangeEvent) => void
  readonly clear: () => void
}

/** An empty ledger. Routing key and dedup key together identify an alert, as in PagerDuty. */
export function createLedger(): Ledger {
  const alerts: Alert[] = []
  const changes: ChangeEvent[] = []

  function apply(event: AlertEvent, dedupKey: string): Effect {
    const open = alerts.find(
      (alert) =>
        alert.routingKey === event.routing_key && alert.dedupKey === dedupKey && alert.status !== 'resolved',
    )
    if (event.event_action === 'trigger') {
      if (open !== undefined) {
        open.triggers += 1
        open.event = event
        return 'updated'
      }
      const title = event.payload?.summary ?? ''
      alerts.push({
        routingKey: event.routing_key,
        dedupKey,
        status: 'triggered',
        triggers: 1,
        title,
        event,
        openedAtMs: Date.now(),
      })
      return 'opened'
    }
    if (open === undefined) return 'dropped'
    open.status = event.event_action === 'resolve' ? 'resolved' : 'acknowledged'
    if (open.status === 'resolved') open.resolvedAtMs = Date.now()
    return open.status
  }

  return {
    alerts,
    changes,
    addAlert: (event) => {
      const dedupKey = event.dedup_key?.trim() ? event.dedup_key : randomUUID()
      return { effect: apply(event, dedupKey), dedupKey }
    },
    addChange: (event) => {
      changes.push(event)
    },
    clear: () => {
      alerts.length = 0
      changes.length = 0
    },
  }
}
