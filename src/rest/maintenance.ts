import { ask, toRestFailure } from './query.ts'
import type { RestClient } from './client.ts'
import { WINDOW_ANSWER, WINDOWS_ANSWER, type MaintenanceWindow } from './resources.ts'

/** The maintenance windows of one deployment. */
export interface WindowSubject {
  readonly serviceId: string
  /**
   * Marks the windows of this deployment: a window is ours if its description ends with it.
   */
  readonly marker: string
}

const WRITING = { purpose: 'open a maintenance window', scope: 'services.write' }
/** A window of ours that ends earlier than wanted by less than this is left as it is. */
const SLACK_MS = 60_000

/** The end of every description: it names the deployment, so that concurrent ones to other environments stay apart. */
export function windowMarker(deployment: string): string {
  return `[pagerduty-alert ${deployment}]`
}

/**
 * Puts the service into maintenance until `endAtMs` at the latest. A window of ours that is still open, left behind by
 * a run that was killed, is reused, and extended if it would end too early. Other windows are never touched.
 * @returns what was done; `reused as it is` if it could not be extended
 * @throws Failure as `ask` does
 */
export async function openWindow(
  client: RestClient,
  subject: WindowSubject,
  { nowMs, endAtMs, description }: { nowMs: number; endAtMs: number; description: string },
): Promise<'opened' | 'reused' | 'reused as it is'> {
  const [own] = await listOwnWindows(client, subject)
  const times = { start_time: new Date(nowMs).toISOString(), end_time: new Date(endAtMs).toISOString() }
  if (own !== undefined) {
    const endsAtMs = Date.parse(own.end_time ?? '')
    if (!(endsAtMs < endAtMs - SLACK_MS)) return 'reused'
    return await extendWindow(client, own.id, times.end_time)
  }
  const window = {
    type: 'maintenance_window',
    ...times,
    description: `${description} ${subject.marker}`,
    services: [{ id: subject.serviceId, type: 'service_reference' }],
  }
  await ask(client, {
    ...WRITING,
    call: { method: 'POST', path: '/maintenance_windows', body: { maintenance_window: window } },
    answer: WINDOW_ANSWER,
  })
  return 'opened'
}

/**
 * Ends every window of ours, including one whose opening was answered too late for us to know.
 * @throws Failure as `ask` does
 */
export async function closeWindows(client: RestClient, subject: WindowSubject): Promise<void> {
  const windows = await listOwnWindows(client, subject)
  await Promise.all(windows.map(({ id }) => endWindow(client, id)))
}

async function endWindow(client: RestClient, id: string): Promise<void> {
  const result = await client.call({
    method: 'DELETE',
    path: `/maintenance_windows/${encodeURIComponent(id)}`,
  })
  // 405: it has already ended; 404: somebody else removed it.
  if (result.kind === 'answered' || (result.kind === 'refused' && [404, 405].includes(result.status))) return
  throw toRestFailure(result, { purpose: 'end the maintenance window', scope: 'services.write' })
}

async function extendWindow(
  client: RestClient,
  id: string,
  endTime: string,
): Promise<'reused' | 'reused as it is'> {
  const result = await client.call({
    method: 'PUT',
    path: `/maintenance_windows/${encodeURIComponent(id)}`,
    body: { maintenance_window: { type: 'maintenance_window', end_time: endTime } },
  })
  return result.kind === 'answered' ? 'reused' : 'reused as it is'
}

async function listOwnWindows(
  client: RestClient,
  { serviceId, marker }: WindowSubject,
): Promise<MaintenanceWindow[]> {
  const { maintenance_windows: windows } = await ask(client, {
    purpose: 'list the service’s maintenance windows',
    scope: 'services.read',
    call: {
      method: 'GET',
      path: '/maintenance_windows',
      query: [
        ['filter', 'open'],
        ['service_ids[]', serviceId],
        ['limit', '100'],
      ],
    },
    answer: WINDOWS_ANSWER,
  })
  return windows.filter(
    ({ description, services }) =>
      description?.endsWith(marker) === true && services.every(({ id }) => id === serviceId),
  )
}
