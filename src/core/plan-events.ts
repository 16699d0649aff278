import { buildChange, buildFollowUp, buildTrigger, type EventInput } from './build-event.ts'
import { successKeyFor } from './identity.ts'
import type { Action, Event } from './event.ts'
import { Failure } from './failure.ts'
import { cutWarning, fitEvent } from './fit.ts'
import { renderTemplate, type DeploymentOutcome } from './summary.ts'

/** The commands that make their events themselves. */
export type EventCommand = 'success' | 'failure' | 'soft-failure' | 'cancelled' | 'change' | Action

/** How `success` reports the deployment itself, apart from resolving the failure alert. */
export type SuccessForm = 'change' | 'alert' | 'both'

export interface PlanOptions {
  readonly as: SuccessForm
  /** Whether `success` resolves the failure alert. */
  readonly resolve: 'auto' | 'never'
  /** A dedup key for an alert for which none is given or can be derived. */
  readonly randomKey: () => string
}

/** The events of one invocation, within PagerDuty's limits, and what the user should know about them. */
export interface Plan {
  readonly events: readonly Event[]
  readonly warnings: readonly string[]
}

/**
 * Turns a command into its events.
 * @throws Failure of kind `usage` when an acknowledge or resolve has no alert to address
 */
export function planEvents(command: EventCommand, input: EventInput, options: PlanOptions): Plan {
  const warnings = emptySummaryWarning(command, input)
  const fitted = eventsOf(command, input, options, warnings).map(fitEvent)
  return {
    events: fitted.map((one) => one.event),
    warnings: [...warnings, ...cutWarning(fitted.flatMap((one) => one.cuts))],
  }
}

function eventsOf(
  command: EventCommand,
  input: EventInput,
  options: PlanOptions,
  warnings: string[],
): Event[] {
  const dedupKey = input.identity.dedupKey?.value
  switch (command) {
    case 'success':
      return successEvents(input, options, warnings)
    case 'cancelled':
      return [buildChange(input, { outcome: 'cancelled' })]
    case 'soft-failure': // reported, but nobody is paged for it
      return [buildChange(input, { outcome: 'failure' })]
    case 'failure':
      if (dedupKey === undefined) {
        warnings.push(
          'no repository is known, so the alert gets a random dedup key and no later success resolves it; ' +
            'set --dedup-key or PAGERDUTY_REPOSITORY_URL',
        )
      }
      return [buildTrigger(input, { outcome: 'failure' }, dedupKey ?? options.randomKey())]
    case 'change':
      return [buildChange(input, 'options')]
    case 'trigger':
      return [buildTrigger(input, 'options', dedupKey ?? options.randomKey())]
    case 'acknowledge':
    case 'resolve':
      if (dedupKey === undefined) {
        throw new Failure(
          'usage',
          `${command} needs --dedup-key (PAGERDUTY_DEDUP_KEY): there is no build to derive it from`,
        )
      }
      return [buildFollowUp(command, dedupKey)]
  }
}

function successEvents(
  input: EventInput,
  { as, resolve, randomKey }: PlanOptions,
  warnings: string[],
): Event[] {
  const outcome = 'success'
  const failureKey = input.identity.dedupKey?.value
  const infoKey = failureKey === undefined ? randomKey() : successKeyFor(failureKey)
  const events: Event[] = []
  if (as !== 'alert') events.push(buildChange(input, { outcome }))
  if (as !== 'change') events.push(buildTrigger(input, { outcome }, infoKey))
  if (resolve === 'auto' && failureKey !== undefined) events.push(buildFollowUp('resolve', failureKey))
  if (resolve === 'auto' && failureKey === undefined) {
    warnings.push('no repository and no --dedup-key is known, so no failure alert is resolved')
  }
  return events
}

/** How the deployment ended, for the commands that report one. */
const OUTCOMES: Readonly<Partial<Record<EventCommand, DeploymentOutcome>>> = {
  success: 'success',
  failure: 'failure',
  'soft-failure': 'failure',
  cancelled: 'cancelled',
}

function emptySummaryWarning(
  command: EventCommand,
  { fields, build, identity, result }: EventInput,
): string[] {
  if (fields.summary === undefined || command === 'acknowledge' || command === 'resolve') return []
  const outcome = OUTCOMES[command]
  const facts = { build, environment: identity.environment?.value, outcome, result }
  const isEmpty = renderTemplate(fields.summary, facts) === ''
  return isEmpty ? ['the --summary template renders empty; the default summary is used instead'] : []
}
