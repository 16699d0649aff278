import type { Alert } from './ledger.ts'
import type { RestState, SimulatedIncident, SimulatedService } from './rest-state.ts'

type Opened = Omit<SimulatedIncident, 'status'>

/**
 * Shows every alert as an incident of the service whose integration has its key, as PagerDuty does.
 * @returns the account as it is given, with those incidents in it
 */
export function createAlertIncidents(alerts: readonly Alert[]): (account: RestState) => RestState {
  const known = new WeakMap<Alert, Opened>()
  const open = (alert: Alert, serviceId: string): Opened => {
    const incident = known.get(alert) ?? describe(alert, serviceId, alerts.indexOf(alert) + 1)
    known.set(alert, incident)
    return incident
  }
  return (account) => {
    const incidents = alerts.flatMap((alert) =>
      account.services
        .filter(({ integrations }) => integrations.some(({ key }) => key === alert.routingKey))
        .filter((service) => !isHeldBack(alert, service, Date.now()))
        .map(({ id }) => ({ ...open(alert, id), status: alert.status })),
    )
    return { ...account, incidents: [...account.incidents, ...incidents] }
  }
}

/**
 * Whether a rule holds the alert back: until its time is over, and for good if it was resolved by then (PagerDuty's
 * Terraform provider, `suspend`).
 */
function isHeldBack(
  { event, openedAtMs, resolvedAtMs = Infinity }: Alert,
  { suspendRules, isOrchestrated }: SimulatedService,
  nowMs: number,
): boolean {
  const rule = suspendRules.find(
    ({ class: name, isDisabled }) => !isDisabled && name === event.payload?.class,
  )
  return (
    isOrchestrated && rule !== undefined && Math.min(nowMs, resolvedAtMs) < openedAtMs + rule.seconds * 1000
  )
}

function describe({ title, event, dedupKey }: Alert, serviceId: string, number: number): Opened {
  const isUrgent = ['critical', 'error'].includes(event.payload?.severity ?? '')
  return {
    id: `Q${String(number).padStart(13, '0')}`,
    serviceId,
    title,
    urgency: isUrgent ? 'high' : 'low',
    createdAt: new Date().toISOString(),
    alertKeys: [dedupKey],
    resolvedAlertKeys: [],
  }
}
