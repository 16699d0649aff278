import type { Session } from '../cli/session.ts'
import type { ServiceChoice } from '../config/rest.ts'
import { successKeyFor } from '../core/identity.ts'
import type { RestClient } from '../rest/client.ts'
import { listIncidentsSince } from '../rest/incidents.ts'
import type { Incident, Service } from '../rest/resources.ts'
import { findService } from '../rest/service.ts'
import { ofUrgency, warnIfMuted, type ServiceIncidents } from './describe-incidents.ts'

/** How far back incidents are listed, so that the clocks of this machine and of PagerDuty may differ by that much. */
const CLOCK_MARGIN_MS = 24 * 60 * 60_000
/** A list that arrives sooner shows the incidents at the start, whatever the clocks say. */
const PROMPT_MS = 5000

/** One look at a service's incidents. */
export type IncidentLook = (client: RestClient) => Promise<ServiceIncidents>

/**
 * Returns a function that looks for incidents that opened on a service after this call. It ignores those of this
 * deployment's own alerts, and also finds an incident that opens and is resolved between two looks.
 */
export function createIncidentLook(
  session: Session,
  choice: ServiceChoice,
  onService: (service: Service) => void,
): IncidentLook {
  const { config, log } = session
  const began = { atMs: performance.now(), timeMs: Date.now() }
  const since = new Date(began.timeMs - CLOCK_MARGIN_MS).toISOString()
  const discounted = new Set<Incident['id']>()
  const isBefore = ({ created_at: createdAt = '' }: Incident): boolean =>
    performance.now() - began.atMs < PROMPT_MS || !(Date.parse(createdAt) >= began.timeMs)
  let service: Service | undefined
  let isFirst = true
  return async (client) => {
    if (service === undefined) {
      service = await findService(client, choice)
      warnIfMuted('watch', service, log)
      onService(service)
    }
    const listed = await listIncidentsSince(client, { serviceId: service.id, since })
    if (isFirst) for (const { id } of listed.filter(isBefore)) discounted.add(id)
    isFirst = false
    const isNew = ({ id }: Incident): boolean => !discounted.has(id)
    const incidents = ofUrgency(listed, config.gate.urgency).filter(isNew)
    if (incidents.length === 0) return { service, incidents }
    for (const id of await listOwn(session, client, { serviceId: service.id, since })) discounted.add(id)
    return { service, incidents: incidents.filter(isNew) }
  }
}

/** The incidents of the alerts that this deployment's own events open. */
async function listOwn(
  { identity: { dedupKey } }: Session,
  client: RestClient,
  where: { serviceId: string; since: string },
): Promise<Incident['id'][]> {
  if (dedupKey === undefined) return []
  const keys = [dedupKey.value, successKeyFor(dedupKey.value)]
  const lists = await Promise.all(keys.map((alertKey) => listIncidentsSince(client, { ...where, alertKey })))
  return lists.flat().map(({ id }) => id)
}
