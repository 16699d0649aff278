import type { Log } from '../log.ts'
import { oneLine } from '../core/mask-secrets.ts'
import { ageInWords } from '../core/duration.ts'
import { describeService, type Incident, type Service } from '../rest/resources.ts'

/** A service, and its incidents that were found. */
export interface ServiceIncidents {
  readonly service: Service
  readonly incidents: readonly Incident[]
}

/** Warns if the service opens no incidents at the moment, so that finding none means little. */
export function warnIfMuted(command: string, service: Service, log: Log): void {
  if (service.status !== 'maintenance' && service.status !== 'disabled') return
  const state = service.status === 'disabled' ? 'disabled' : 'in maintenance'
  log.warn(`${command}: ${describeService(service)} is ${state}, so it opens no new incidents`)
}

/** The incidents of an urgency; one whose urgency cannot be read counts. */
export function ofUrgency(
  incidents: readonly Incident[],
  urgency: 'high' | 'low' | undefined,
): readonly Incident[] {
  return incidents.filter((incident) => urgency === undefined || (incident.urgency ?? urgency) === urgency)
}

/**
 * A line about the service, and one for each incident.
 * @param kind `open` or `new`
 */
export function describeIncidents(
  command: string,
  kind: string,
  { service, incidents }: ServiceIncidents,
): string[] {
  const count = incidents.length === 1 ? `1 ${kind} incident` : `${incidents.length} ${kind} incidents`
  const where = `on ${describeService(service)}`
  return [
    `${command}: ${incidents.length === 0 ? `no ${kind} incident` : count} ${where}`,
    ...incidents.map(describeIncident),
  ]
}

function describeIncident(incident: Incident): string {
  const { urgency, status, created_at: since, html_url: link } = incident
  const ageMs = Date.now() - Date.parse(since ?? '')
  const age = Number.isNaN(ageMs) ? '' : ` since ${since} (${ageInWords(ageMs)})`
  return oneLine(
    `  ${urgency ?? 'unknown'} urgency, ${status ?? 'open'}${age}: ${titleOf(incident)} ${link ?? ''}`,
  )
}

/** The title of an incident on one line. */
export function titleOf({ title, summary, id }: Incident): string {
  return oneLine(title ?? summary ?? id ?? 'an incident without a title')
}

/** A service and its incidents, as `--json` prints them. */
export function incidentsToJson({ service, incidents }: Partial<ServiceIncidents>): object {
  return {
    service: service && { id: service.id, name: service.name, status: service.status },
    incidents: (incidents ?? []).map(({ id, title, urgency, status, created_at: since, html_url: link }) => ({
      id,
      title,
      urgency,
      status,
      since,
      link,
    })),
  }
}
