import { z } from 'zod'

/*
 * PagerDuty's answers, read leniently: unused members are ignored, and unexpected values count as absent. Only members
 * that we cannot do without are required. Field names: PagerDuty's REST OpenAPI.
 */

const id = z.string().min(1)
const text = z.string().optional().catch(undefined)

/** An integration of a service; a bare reference without its key unless the query includes it. */
const INTEGRATION = z.object({ id, type: text, name: text, summary: text, integration_key: text })
/** See `INTEGRATION`. */
export type Integration = z.infer<typeof INTEGRATION>

const SERVICE = z.object({
  id,
  name: text,
  summary: text,
  /** `active`, `warning`, `critical`, `maintenance` or `disabled`. */
  status: text,
  html_url: text,
  escalation_policy: z.object({ id, summary: text }).optional().catch(undefined),
  integrations: lenientList(INTEGRATION),
})
/** A service. */
export type Service = z.infer<typeof SERVICE>

/** An incident. Even one without a readable member counts as one. */
const INCIDENT = z.object({
  id: text,
  title: text,
  summary: text,
  urgency: text,
  status: text,
  created_at: text,
  html_url: text,
})
/** See `INCIDENT`. */
export type Incident = z.infer<typeof INCIDENT>

const MAINTENANCE_WINDOW = z.object({
  id,
  description: text,
  end_time: text,
  services: lenientList(z.object({ id })),
})
/** A maintenance window. */
export type MaintenanceWindow = z.infer<typeof MAINTENANCE_WINDOW>

const CHANGE_ENTRY = z.object({ summary: text, timestamp: text })
/** A change event as PagerDuty lists it. */
export type ChangeEntry = z.infer<typeof CHANGE_ENTRY>

const ALERT = z.object({ status: text, alert_key: text })

/** One person's time on call, on one level of an escalation policy. Without an end it has none. */
const ON_CALL = z.object({
  escalation_level: z.int().optional().catch(undefined),
  user: z.object({ id: text, summary: text }).optional().catch(undefined),
  end: text,
})
/** See `ON_CALL`. */
export type OnCall = z.infer<typeof ON_CALL>

/** A rule of an orchestration. `suspend` is in seconds. */
const RULE = z.object({
  disabled: z.boolean().catch(false),
  conditions: lenientList(z.object({ expression: z.string() })),
  actions: z.object({ suspend: z.number().nullish().catch(undefined) }).catch({}),
})

/** Bodies of answers, by what they hold. */
export const SERVICE_ANSWER = z.object({ service: SERVICE })
export const SERVICES_ANSWER = z.object({ services: lenientList(SERVICE), more: z.boolean().catch(false) })
export const INTEGRATION_ANSWER = z.object({ integration: INTEGRATION })
export const INCIDENTS_ANSWER = z.object({ incidents: z.array(INCIDENT), more: z.boolean().catch(false) })
export const CHANGE_EVENTS_ANSWER = z.object({ change_events: z.array(CHANGE_ENTRY) })
export const ALERTS_ANSWER = z.object({ alerts: z.array(ALERT) })
export const NOTES_ANSWER = z.object({ notes: lenientList(z.object({ content: z.string() })) })
export const WINDOW_ANSWER = z.object({ maintenance_window: MAINTENANCE_WINDOW })
export const WINDOWS_ANSWER = z.object({ maintenance_windows: lenientList(MAINTENANCE_WINDOW) })
export const ABILITIES_ANSWER = z.object({ abilities: lenientList(z.string()) })
export const ORCHESTRATION_ACTIVE_ANSWER = z.object({ active: z.boolean() })
export const ORCHESTRATION_ANSWER = z.object({
  orchestration_path: z.object({
    sets: lenientList(z.object({ rules: lenientList(RULE) })),
    catch_all: RULE.catch({ disabled: true, conditions: [], actions: {} }),
  }),
})
export const USER_ANSWER = z.object({ user: z.object({ id: text, name: text, role: text }) })
export const ON_CALLS_ANSWER = z.object({ oncalls: lenientList(ON_CALL), more: z.boolean().catch(false) })

/** A list without its unreadable entries; empty if it is absent or not a list. */
function lenientList<T extends z.ZodType>(item: T): z.ZodType<z.output<T>[]> {
  return z
    .array(z.unknown())
    .catch([])
    .transform((entries) =>
      entries.flatMap((entry) => {
        const read = item.safeParse(entry)
        return read.success ? [read.data] : []
      }),
    )
}

/** A service as messages name it: `Shop (PXXXXXX)`. */
export function describeService({ id: serviceId, name, summary }: Service): string {
  const title = name ?? summary
  return title === undefined ? serviceId : `${title} (${serviceId})`
}
