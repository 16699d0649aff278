import { buildChange, type EventInput } from './build-event.ts'
import type { Event } from './event.ts'
import { fitEvent } from './fit.ts'
import { hasFailed, rollbackSummary } from './summary.ts'

/** An incident that opened after a deployment, as far as PagerDuty describes it. */
export interface SuspectIncident {
  readonly id: string
  readonly title: string
  /** Its page. */
  readonly href?: string | undefined
}

/**
 * The change event of a rollback, within PagerDuty's limits. Its outcome is not one of a deployment's, so the deployment is
 * not counted twice.
 * @param input its `result` says how the rollback's command ended; without exit status and signal it succeeded
 */
export function buildRollback(input: EventInput, incidents: readonly SuspectIncident[]): Event {
  const { fields, build, identity, result } = input
  const { summary: _, ...ownFields } = fields
  const links = incidents.flatMap(({ id, href }) =>
    href !== undefined && /^https?:\/\//.test(href) ? [{ href, text: `Incident ${id}` }] : [],
  )
  const details = {
    ...fields.details,
    outcome: hasFailed(result) ? 'rollback failed' : 'rolled back',
    incidents: incidents.map(({ id }) => id),
  }
  const { kind, body } = buildChange(
    { ...input, fields: { ...ownFields, details, links: [...links, ...(fields.links ?? [])] } },
    { outcome: 'success' },
  )
  const facts = { build, environment: identity.environment?.value, result }
  const named = incidents.map(({ id, title }) => (title === id ? id : `${id} (${title})`)).join(', ')
  const payload = { ...body.payload, summary: rollbackSummary(facts, named) }
  return fitEvent({ kind, body: { ...body, payload } }).event
}
