import type { Event } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import type { RestClient } from '../rest/client.ts'
import { addNote, listOpenIncidents } from '../rest/incidents.ts'
import { findServiceId, needService } from '../rest/service.ts'
import { withRestClient, type RestContext } from './rest-access.ts'

/** The most incidents that get a note: with more of them open, there is a bigger problem. */
const MAX_NOTED = 25

/**
 * Adds a note about a deployment to the incidents of its service that were open before the report started: an incident that
 * the report itself opens says the same already. A failure is only logged as a warning: the events matter more.
 * @param event the first of the deployment's events, whose summary and link are the note
 */
export async function noteOnOpenIncidents(context: RestContext, event: Event): Promise<void> {
  const { io, config, log } = context
  const beganAtMs = Date.now() - (performance.now() - io.startedAtMs)
  try {
    const { token, service } = needService('--note', config.rest)
    const count = await withRestClient(context, token, async (client) => {
      const serviceId = await findServiceId(client, service)
      const ids = await openBefore(client, serviceId, beganAtMs)
      const content = noteContent(event)
      await Promise.all(ids.slice(0, MAX_NOTED).map((id) => addNote(client, id, content)))
      return Math.min(ids.length, MAX_NOTED)
    })
    log.info(
      count === 0
        ? 'no open incident to add a note to'
        : `added a note to ${count} open incident${count === 1 ? '' : 's'}`,
    )
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.warn(`cannot add a note about the deployment: ${error.message}`)
  }
}

/** Writes a note on incidents that opened after a deployment. A failure is only logged as a warning. */
export async function noteOnNewIncidents(
  context: RestContext,
  incidentIds: readonly string[],
  content: string,
): Promise<void> {
  const { config, log } = context
  const ids = incidentIds.slice(0, MAX_NOTED)
  const deadlineAtMs = performance.now() + config.delivery.deadlineMs
  try {
    const { token } = needService('--note', config.rest)
    await withRestClient(
      context,
      token,
      async (client) => await Promise.all(ids.map((id) => addNote(client, id, content))),
      { deadlineAtMs: () => deadlineAtMs },
    )
    log.info(`added a note to ${ids.length} new incident${ids.length === 1 ? '' : 's'}`)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.warn(`cannot add a note about the deployment: ${error.message}`)
  }
}

/** Incidents created before a time; PagerDuty reports whole seconds. */
async function openBefore(client: RestClient, serviceId: string, timeMs: number): Promise<string[]> {
  const wholeMs = Math.floor(timeMs / 1000) * 1000
  const incidents = await listOpenIncidents(client, serviceId)
  return incidents.flatMap(({ id, created_at: createdAt = '' }) =>
    id === undefined || Date.parse(createdAt) >= wholeMs ? [] : [id],
  )
}

function noteContent({ body }: Event): string {
  const [link] = body.links ?? []
  return [body.payload?.summary ?? '', link?.href ?? ''].filter((line) => line !== '').join('\n')
}
