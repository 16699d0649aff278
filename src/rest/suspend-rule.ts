import { ask } from './query.ts'
import type { RestClient } from './client.ts'
import { ORCHESTRATION_ACTIVE_ANSWER, ORCHESTRATION_ANSWER } from './resources.ts'

/** A rule of a service's orchestration that holds alerts back. */
export interface SuspendRule {
  /** For how long, in seconds. */
  readonly seconds: number
}

const READING = { purpose: 'read the service’s event orchestration', scope: 'event_orchestrations.read' }

/**
 * Finds the rule of a service's orchestration that holds back alerts of a class: one that names the class in a condition,
 * or that has no condition. Nothing is guessed about conditions on other fields.
 * PagerDuty's REST OpenAPI, "Event Orchestrations"; `suspend` is in seconds.
 * @returns undefined if there is none; `inactive` if the service does not use its orchestration
 * @throws Failure as `ask` does
 */
export async function findSuspendRule(
  client: RestClient,
  serviceId: string,
  className: string,
): Promise<SuspendRule | 'inactive' | undefined> {
  const path = `/event_orchestrations/services/${serviceId}`
  const [{ active }, { orchestration_path: orchestration }] = await Promise.all([
    ask(client, {
      ...READING,
      call: { method: 'GET', path: `${path}/active` },
      answer: ORCHESTRATION_ACTIVE_ANSWER,
    }),
    ask(client, { ...READING, call: { method: 'GET', path }, answer: ORCHESTRATION_ANSWER }),
  ])
  const rules = [...orchestration.sets.flatMap((set) => set.rules), orchestration.catch_all]
  const isMeant = ({ expression }: { expression: string }): boolean => expression.includes(className)
  const rule = rules.find(
    ({ disabled, conditions, actions }) =>
      !disabled && (actions.suspend ?? 0) > 0 && (conditions.length === 0 || conditions.some(isMeant)),
  )
  if (rule === undefined) return undefined
  return active ? { seconds: rule.actions.suspend ?? 0 } : 'inactive'
}
