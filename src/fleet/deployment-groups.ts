import type { Forwarding } from '../spool/forwarding.ts'
import type { FleetItem } from './fleet-items.ts'

/** What `add` has to know about an event's deployment. */
export type Grouping = Pick<FleetItem, 'request' | 'others'>

/** Which of these events of a spool belong together, and which others belong to them. Throws as `Forwarding.oldest` does. */
export function groupByDeployment(
  forwarding: Pick<Forwarding, 'deploymentsOf' | 'eventsOfDeployment'>,
  ids: readonly number[],
): Grouping[] {
  const deployments = forwarding.deploymentsOf(ids)
  const known = new Set(ids)
  const othersOf = new Map<number, string[]>()
  for (const deployment of deployments) {
    if (deployment === undefined || othersOf.has(deployment)) continue
    const others = forwarding.eventsOfDeployment(deployment).filter((id) => !known.has(id))
    othersOf.set(deployment, others.map(String))
  }
  return deployments.map((deployment) => {
    if (deployment === undefined) return {}
    const others = othersOf.get(deployment) ?? []
    return { request: deployment, ...(others.length > 0 && { others }) }
  })
}
