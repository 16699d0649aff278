import { jsonAnswer } from './answer.ts'
import { NOT_FOUND, paged, restError, type RestAnswer, type RestRoute } from './rest-call.ts'
import { isOngoing, type SimulatedWindow } from './rest-state.ts'

/** Maintenance windows. */
export function maintenanceRoutes(): RestRoute[] {
  return [
    ['GET', '/maintenance_windows', listWindows],
    ['POST', '/maintenance_windows', openWindow],
    ['PUT', '/maintenance_windows/:id', changeWindow],
    ['DELETE', '/maintenance_windows/:id', endWindow],
  ]
}

type Filter = (window: SimulatedWindow, nowMs: number) => boolean

const isOver: Filter = ({ endTime }, nowMs) => Date.parse(endTime) <= nowMs
const FILTERS: Readonly<Record<string, Filter>> = {
  past: isOver,
  future: ({ startTime }, nowMs) => Date.parse(startTime) > nowMs,
  ongoing: isOngoing,
  open: (window, nowMs) => !isOver(window, nowMs),
  all: () => true,
}

const listWindows: RestAnswer = (request) => {
  const { state, query, nowMs } = request
  const filter = FILTERS[query.get('filter') ?? 'all']
  const serviceIds = query.getAll('service_ids[]')
  if (filter === undefined) return restError(400, 2001, 'Invalid Input Provided', ['Filter is invalid.'])
  const found = state.windows.filter(
    (window) =>
      filter(window, nowMs) &&
      (serviceIds.length === 0 || window.serviceIds.some((id) => serviceIds.includes(id))),
  )
  return paged(request, 'maintenance_windows', found.map(toWindow))
}

/** A start in the past becomes now; the end must be after both. */
const openWindow: RestAnswer = ({ state, json, nowMs }) => {
  const { start_time: start, end_time: end, description, services } = json['maintenance_window'] ?? {}
  const startMs = Math.max(nowMs, Date.parse(String(start)))
  const endMs = Date.parse(String(end))
  const serviceIds = (Array.isArray(services) ? services : []).map((service) =>
    String((service as { id?: unknown }).id),
  )
  if (!(endMs > startMs)) return restError(400, 2001, 'Invalid Input Provided', ['End time must be later.'])
  if (serviceIds.length === 0 || !serviceIds.every((id) => state.services.some((known) => known.id === id)))
    return restError(400, 2001, 'Invalid Input Provided', ['Services are invalid.'])
  const window = {
    id: `PW${state.windows.length + 1}`,
    description: typeof description === 'string' ? description : '',
    serviceIds,
    startTime: new Date(startMs).toISOString(),
    endTime: new Date(endMs).toISOString(),
  }
  state.windows.push(window)
  return jsonAnswer(201, { maintenance_window: toWindow(window) })
}

const changeWindow: RestAnswer = ({ state, params, json, nowMs }) => {
  const window = state.windows.find(({ id }) => id === params['id'])
  const end = Date.parse(String(json['maintenance_window']?.['end_time']))
  if (window === undefined) return NOT_FOUND
  if (!(end > nowMs)) return restError(400, 2001, 'Invalid Input Provided', ['End time must be later.'])
  window.endTime = new Date(end).toISOString()
  return jsonAnswer(200, { maintenance_window: toWindow(window) })
}

/** Ends an open window, removes one that has not started, and refuses for one that is over. */
const endWindow: RestAnswer = ({ state, params, nowMs }) => {
  const window = state.windows.find(({ id }) => id === params['id'])
  if (window === undefined) return NOT_FOUND
  if (isOver(window, nowMs)) return restError(405, 2200, 'The maintenance window has already ended')
  if (isOngoing(window, nowMs)) window.endTime = new Date(nowMs).toISOString()
  else state.windows.splice(state.windows.indexOf(window), 1)
  return { status: 204, headers: {}, body: '' }
}

function toWindow({ id, description, serviceIds, startTime, endTime }: SimulatedWindow): unknown {
  return {
    id,
    type: 'maintenance_window',
    description,
    start_time: startTime,
    end_time: endTime,
    services: serviceIds.map((serviceId) => ({ id: serviceId, type: 'service_reference' })),
  }
}
