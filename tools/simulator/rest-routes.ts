import { jsonAnswer, type Answer } from './answer.ts'
import type { Route } from './exchange.ts'
import { maintenanceRoutes } from './maintenance-routes.ts'
import type { ChangeEvent } from './judge.ts'
import type { RecordedRequest } from './recorder.ts'
import { admit, answerMe } from './rest-access.ts'
import {
  NOT_FOUND,
  paged,
  restError,
  type RestAnswer,
  type RestRequest,
  type RestRoute,
  notesOf,
} from './rest-call.ts'
import {
  statusOf,
  type RestState,
  type SimulatedIncident,
  type SimulatedIntegration,
  type SimulatedOnCall,
  type SimulatedService,
} from './rest-state.ts'

const MONTH_MS = 30 * 24 * 3_600_000
const MAX_NOTES = 2000

/**
 * The parts of PagerDuty's REST API v2 that the program uses, with its quirks. Source: PagerDuty's OpenAPI file and REST guides.
 * @param state returns the current account
 * @param changes the change events that have arrived, live
 */
export function restRoutes(state: () => RestState, changes: readonly ChangeEvent[]): Route[] {
  const routes: RestRoute[] = [
    ['GET', '/abilities', (request) => jsonAnswer(200, { abilities: request.state.abilities })],
    ['GET', '/users/me', ({ caller }) => answerMe(caller)],
    ['GET', '/services', listServices],
    ['GET', '/services/:id', readService],
    ['GET', '/services/:id/change_events', listChanges(changes)],
    ['GET', '/services/:id/integrations/:integrationId', readIntegration],
    ['POST', '/services/:id/integrations', addIntegration],
    ['GET', '/incidents', listIncidents],
    ['GET', '/incidents/:id/alerts', listAlerts],
    ['GET', '/incidents/:id/notes', (request) => jsonAnswer(200, { notes: notesOf(request) })],
    ['POST', '/incidents/:id/notes', addNote],
    ['GET', '/oncalls', listOnCalls],
    ['GET', '/event_orchestrations/services/:id', readOrchestration],
    ['GET', '/event_orchestrations/services/:id/active', readIsOrchestrated],
    ...maintenanceRoutes(),
  ]
  return routes.map(([method, path, answer]) => ({
    method,
    path,
    answer: (request, params) => letIn(request, params, state(), answer),
  }))
}

function letIn(
  request: RecordedRequest,
  params: Readonly<Record<string, string>>,
  state: RestState,
  answer: RestAnswer,
): Answer {
  const caller = admit(request, state)
  if ('refusal' in caller) return caller.refusal
  const query = new URL(request.path, 'http://simulator').searchParams
  const json = (request.json ?? {}) as RestRequest['json']
  return answer({ state, caller, query, params, json, nowMs: Date.now() })
}

function serviceOf({ state, params }: RestRequest): SimulatedService | undefined {
  return state.services.find(({ id }) => id === params['id'])
}

/** Without `include[]=integrations` the integrations are references without a key. */
function toService(service: SimulatedService, { state, query, nowMs }: RestRequest): unknown {
  const isWhole = query.getAll('include[]').includes('integrations')
  return {
    id: service.id,
    type: 'service',
    name: service.name,
    summary: service.name,
    status: statusOf(state, service, nowMs),
    html_url: `https://acme.pagerduty.com/service-directory/${service.id}`,
    escalation_policy: { id: service.escalationPolicyId, type: 'escalation_policy_reference' },
    integrations: service.integrations.map((integration) =>
      isWhole
        ? toIntegration(integration)
        : { id: integration.id, type: `${integration.type}_reference`, summary: integration.name },
    ),
  }
}

function toIntegration({ id, name, type, key }: SimulatedIntegration): unknown {
  return { id, type, name, summary: name, integration_key: key }
}

const listServices: RestAnswer = (request) => {
  const wanted = request.query.get('query')?.toLowerCase() ?? ''
  const named = request.state.services.filter(({ name }) => name.toLowerCase().includes(wanted))
  return paged(
    request,
    'services',
    named.map((service) => toService(service, request)),
  )
}

const readService: RestAnswer = (request) => {
  const service = serviceOf(request)
  return service === undefined ? NOT_FOUND : jsonAnswer(200, { service: toService(service, request) })
}

const readOrchestration: RestAnswer = (request) => {
  const service = serviceOf(request)
  if (service === undefined) return NOT_FOUND
  const rules = service.suspendRules.map(({ class: className, seconds, isDisabled }, index) => ({
    id: `RULE${index}`,
    label: `hold back ${className}`,
    conditions: [{ expression: `event.class matches '${className}'` }],
    actions: { suspend: seconds },
    disabled: isDisabled,
  }))
  return jsonAnswer(200, {
    orchestration_path: { type: 'service', sets: [{ id: 'start', rules }], catch_all: { actions: {} } },
  })
}

const readIsOrchestrated: RestAnswer = (request) => {
  const service = serviceOf(request)
  return service === undefined ? NOT_FOUND : jsonAnswer(200, { active: service.isOrchestrated })
}

/** Newest first. Times must be UTC, written with `Z`. */
function listChanges(changes: readonly ChangeEvent[]): RestAnswer {
  return (request) => {
    const { query, state } = request
    const keys = new Set(serviceOf(request)?.integrations.map(({ key }) => key))
    const [since, until] = [query.get('since'), query.get('until')]
    if ([since, until].some((time) => time !== null && !time.endsWith('Z')))
      return restError(400, 2001, 'Invalid Input Provided', ['Times must be in UTC.'])
    if (serviceOf(request) === undefined) return NOT_FOUND
    const isWithin = ({ payload }: ChangeEvent): boolean => {
      const atMs = Date.parse(String(payload['timestamp']))
      return !(atMs < Date.parse(since ?? '') || atMs > Date.parse(until ?? ''))
    }
    const own = changes.filter((change) => keys.has(change.routing_key) && isWithin(change)).toReversed()
    return paged(request, 'change_events', state.showsChanges ? own.map(toChange) : [])
  }
}

function toChange({ payload }: ChangeEvent, index: number): unknown {
  return { id: `01CHANGE${index}`, type: 'change_event', services: [], ...payload }
}

const listAlerts: RestAnswer = (request) => {
  const incident = request.state.incidents.find(({ id }) => id === request.params['id'])
  if (incident === undefined) return NOT_FOUND
  const wanted = request.query.get('alert_key')
  const status = incident.status === 'resolved' ? 'resolved' : 'triggered'
  const keys = incident.alertKeys.filter((key) => wanted === null || key === wanted)
  const alerts = keys.map((key) => ({
    alert_key: key,
    status: incident.resolvedAlertKeys.includes(key) ? 'resolved' : status,
  }))
  return paged(request, 'alerts', alerts)
}

const readIntegration: RestAnswer = (request) => {
  const integration = serviceOf(request)?.integrations.find(
    ({ id }) => id === request.params['integrationId'],
  )
  return integration === undefined ? NOT_FOUND : jsonAnswer(200, { integration: toIntegration(integration) })
}

const addIntegration: RestAnswer = (request) => {
  const service = serviceOf(request)
  const { type, name } = request.json['integration'] ?? {}
  if (service === undefined) return NOT_FOUND
  if (typeof type !== 'string' || typeof name !== 'string')
    return restError(400, 2001, 'Invalid Input Provided', 'Type and name are required.')
  const number = service.integrations.length + 1
  const integration = { id: `PNEW${number}`, name, type, key: `${number}new`.padStart(32, '0') }
  service.integrations.push(integration)
  return jsonAnswer(201, { integration: toIntegration(integration) })
}

/** Without `since` or `date_range=all` only the last month counts. A blank `incident_key` matches every alert. */
const listIncidents: RestAnswer = (request) => {
  const { query, state, nowMs } = request
  const serviceIds = query.getAll('service_ids[]')
  const statuses = query.getAll('statuses[]')
  const sinceMs =
    query.get('date_range') === 'all' ? 0 : Date.parse(query.get('since') ?? '') || nowMs - MONTH_MS
  const alertKey = query.get('incident_key') ?? ''
  if (query.has('urgencies[]') && !state.abilities.includes('urgencies'))
    return restError(402, 2012, 'Account does not have the abilities to perform the action')
  const found = state.incidents.filter(
    ({ serviceId, status, createdAt, alertKeys }) =>
      (serviceIds.length === 0 || serviceIds.includes(serviceId)) &&
      (statuses.length === 0 || statuses.includes(status)) &&
      (alertKey === '' || alertKeys.includes(alertKey)) &&
      Date.parse(createdAt) >= sinceMs,
  )
  return paged(request, 'incidents', found.map(toIncident))
}

function toIncident({ id, title, urgency, status, createdAt, serviceId }: SimulatedIncident): unknown {
  return {
    id,
    type: 'incident',
    title,
    summary: title,
    urgency,
    status,
    created_at: createdAt,
    html_url: `https://acme.pagerduty.com/incidents/${id}`,
    incident_key: null,
    service: { id: serviceId, type: 'service_reference' },
  }
}

const addNote: RestAnswer = ({ state, params, json, caller }) => {
  const incident = state.incidents.find(({ id }) => id === params['id'])
  const content = json['note']?.['content']
  if (incident === undefined) return NOT_FOUND
  if (typeof content !== 'string' || content.trim() === '')
    return restError(400, 2001, 'Invalid Input Provided', ['Content cannot be empty.'])
  if (state.notes.filter(({ incidentId }) => incidentId === incident.id).length >= MAX_NOTES)
    return restError(400, 2001, 'Invalid Input Provided', ['Too many notes.'])
  state.notes.push({ incidentId: incident.id, content, author: caller.author })
  return jsonAnswer(201, { note: { id: `N${state.notes.length}`, content } })
}

const listOnCalls: RestAnswer = (request) => {
  const policies = request.query.getAll('escalation_policy_ids[]')
  const onCalls = request.state.services
    .filter(({ escalationPolicyId }) => policies.length === 0 || policies.includes(escalationPolicyId))
    .flatMap(({ onCall }) => onCall.map((one, index) => toOnCall(one, `PUSER${index + 1}`)))
  return paged(request, 'oncalls', onCalls)
}

function toOnCall({ name, level, end }: SimulatedOnCall, userId: string): unknown {
  return {
    escalation_level: level,
    user: { id: userId, type: 'user_reference', summary: name },
    start: null,
    end,
  }
}
