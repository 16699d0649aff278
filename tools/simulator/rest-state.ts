import { z } from 'zod'

const time = z.iso.datetime()

const INTEGRATION = z.strictObject({
  id: z.string(),
  name: z.string().default('Events API V2'),
  type: z.string().default('events_api_v2_inbound_integration'),
  key: z.string(),
})

/** Somebody on call, or only their name. Without an end they always are. */
const ON_CALL = z
  .strictObject({ name: z.string(), level: z.int().default(1), end: z.string().nullable().default(null) })
  .or(z.string().transform((name) => ({ name, level: 1, end: null })))

/** A rule of a service's orchestration that holds alerts back, whose condition is on their class alone. */
const SUSPEND_RULE = z.strictObject({
  class: z.string(),
  seconds: z.number(),
  isDisabled: z.boolean().default(false),
})

const SERVICE = z.strictObject({
  id: z.string(),
  name: z.string(),
  isDisabled: z.boolean().default(false),
  escalationPolicyId: z.string().default('PPOLICY'),
  onCall: z.array(ON_CALL).default([{ name: 'Jane Doe', level: 1, end: null }]),
  integrations: z.array(INTEGRATION).default([]),
  suspendRules: z.array(SUSPEND_RULE).default([]),
  /** Whether the service uses its orchestration. */
  isOrchestrated: z.boolean().default(true),
})

const INCIDENT = z.strictObject({
  id: z.string(),
  serviceId: z.string(),
  title: z.string(),
  urgency: z.enum(['high', 'low']).default('high'),
  status: z.enum(['triggered', 'acknowledged', 'resolved']).default('triggered'),
  createdAt: time,
  /** The dedup keys of its alerts. */
  alertKeys: z.array(z.string()).default([]),
  /** Those of its alerts that are resolved, although the incident is not. */
  resolvedAlertKeys: z.array(z.string()).default([]),
})

const WINDOW = z.strictObject({
  id: z.string(),
  description: z.string().default(''),
  serviceIds: z.array(z.string()),
  startTime: time,
  endTime: time,
})

/**
 * The content of the account at the start. An account's token acts for no user (`/users/me` is 400, writes need `From`), a
 * read-only one may not write (403), and a user's acts for its user.
 */
export const REST_SEED = z.strictObject({
  /** If absent, every well-formed token is an account's. */
  tokens: z
    .array(z.strictObject({ token: z.string(), kind: z.enum(['account', 'read-only', 'user']) }))
    .optional(),
  /** E-mail addresses that `From` may name. Default: all. */
  users: z.array(z.string()).optional(),
  /** Whether change events are shown, as in an account with AIOps. What PagerDuty answers without it is not known. */
  showsChanges: z.boolean().default(true),
  abilities: z.array(z.string()).default(['teams', 'urgencies']),
  services: z.array(SERVICE).default([]),
  incidents: z.array(INCIDENT).default([]),
  windows: z.array(WINDOW).default([]),
})

/** See `REST_SEED`; what has a default may be left out. */
export type RestSeed = z.input<typeof REST_SEED>
export type SimulatedService = z.output<typeof SERVICE>
export type SimulatedOnCall = z.output<typeof ON_CALL>
export type SimulatedIncident = z.output<typeof INCIDENT>
export type SimulatedWindow = z.output<typeof WINDOW>
export type SimulatedIntegration = z.output<typeof INTEGRATION>

/** A note that was written on an incident. */
export interface SimulatedNote {
  readonly incidentId: string
  readonly content: string
  /** Its author: the `From` header, or the token's user. */
  readonly author: string
}

/** The account as the REST API sees it, live. */
export interface RestState extends z.output<typeof REST_SEED> {
  notes: SimulatedNote[]
}

/** An account that holds what is seeded. */
export function createRestState(seed: RestSeed = {}): RestState {
  return { ...REST_SEED.parse(seed), notes: [] }
}

export function isOngoing({ startTime, endTime }: SimulatedWindow, nowMs: number): boolean {
  return Date.parse(startTime) <= nowMs && nowMs < Date.parse(endTime)
}

/** Whether a service is in maintenance. */
function isInMaintenance(state: RestState, serviceId: string, nowMs: number): boolean {
  return state.windows.some((window) => window.serviceIds.includes(serviceId) && isOngoing(window, nowMs))
}

/**
 * Whether PagerDuty accepts and drops events with a routing key: the service is disabled or in maintenance,
 * which switches its integrations off (support.pagerduty.com "Maintenance Windows").
 */
export function isMuted(state: RestState, routingKey: string, nowMs: number): boolean {
  return state.services.some(
    ({ id, isDisabled, integrations }) =>
      integrations.some(({ key }) => key === routingKey) && (isDisabled || isInMaintenance(state, id, nowMs)),
  )
}

/** Whether a routing key is of a service that is disabled, which drops change events, too. */
export function isOfDisabled(state: RestState, routingKey: string): boolean {
  return state.services.some(
    ({ isDisabled, integrations }) => isDisabled && integrations.some(({ key }) => key === routingKey),
  )
}

/** The status of a service, which follows from its incidents and windows. */
export function statusOf(state: RestState, { id, isDisabled }: SimulatedService, nowMs: number): string {
  if (isDisabled) return 'disabled'
  if (isInMaintenance(state, id, nowMs)) return 'maintenance'
  const statuses = new Set(
    state.incidents.filter(({ serviceId }) => serviceId === id).map(({ status }) => status),
  )
  if (statuses.has('triggered')) return 'critical'
  return statuses.has('acknowledged') ? 'warning' : 'active'
}
