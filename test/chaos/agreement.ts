import type { DeploymentEntry } from '../../src/spool/deployment-log.ts'
import type { EventStatus, Spool } from '../../src/spool/spool.ts'

/** In the name of every event that PagerDuty refuses. */
export const REFUSED = 'refused'
/** More than a spool keeps. */
const ALL = 1_000_000

/** The details by which an event reports a deployment. */
export function deploymentDetails(alert: string, number: number): Record<string, unknown> {
  return {
    outcome: 'failure',
    repository: alert,
    environment: 'production',
    build_id: `${number}`,
  }
}

/**
 * Compares what a spool counts, lists and says about deployments, once nothing is pending. An event that is no longer
 * listed, though later ones are, was dead and made room for others.
 * @returns one sentence for each disagreement
 */
export function disagreements(spool: Spool): string[] {
  const counts = spool.counts()
  const ids = {
    pending: idsOf(spool, 'pending'),
    delivered: idsOf(spool, 'delivered'),
    dead: idsOf(spool, 'dead'),
  }
  const wrongCounts = (['pending', 'delivered', 'dead'] as const).flatMap((status) =>
    counts[status] === ids[status].size ? [] : [`${counts[status]} of ${ids[status].size} ${status} counted`],
  )
  const firstKept = Math.min(...ids.delivered)
  return [...wrongCounts, ...deploymentsOf(spool).flatMap((entry) => misreported(entry, ids, firstKept))]
}

/** Every deployment that a spool remembers, the newest first. */
export function deploymentsOf(spool: Spool): DeploymentEntry[] {
  return spool.deployments.list({ limit: ALL })
}

function idsOf(spool: Spool, status: EventStatus): ReadonlySet<number> {
  return new Set(spool.list(status, ALL).map(({ id }) => id))
}

/** @param firstKept of the delivered events: older ones are forgotten, unlike dead ones */
function misreported(
  { id, identity, told, eventIds }: DeploymentEntry,
  ids: Readonly<Record<EventStatus, ReadonlySet<number>>>,
  firstKept: number,
): string[] {
  const name = `deployment ${id} (${identity})`
  const isDead = eventIds.some(
    (eventId) => ids.dead.has(eventId) || (eventId >= firstKept && !ids.delivered.has(eventId)),
  )
  const expected = isDead ? 'dead' : 'delivered'
  return [
    ...(eventIds.length === 0 ? [`${name} has no event`] : []),
    ...(told === expected ? [] : [`${name} is ${told}, and its events are ${expected}`]),
  ]
}
