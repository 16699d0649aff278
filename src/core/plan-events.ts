import {
  buildChange,
  buildFollowUp,
  buildTrigger,
  summarize,
  type EventInput,
  type Subject,
  type Summary,
} from './build-event.ts'
import { startedKeyFor, successKeyFor } from './identity.ts'
import type { Action, Event } from './event.ts'
import { Failure } from './failure.ts'
import { isPaging } from './failure-streak.ts'
import { cutWarning, fitEvent } from './fit.ts'

/** The commands that make their events themselves. */
export type EventCommand = 'success' | 'failure' | 'soft-failure' | 'cancelled' | 'change' | Action

/** How `success` reports the deployment itself, apart from resolving the failure alert. */
export type SuccessForm = 'change' | 'alert' | 'both'

/** How `failure` reports the deployment: a change event pages nobody. */
export type FailureForm = 'alert' | 'change'

export interface PlanOptions {
  readonly as: SuccessForm
  /** Whether `success` resolves the failure alert. */
  readonly resolve: 'auto' | 'never'
  /** How `failure` is reported; default: as an alert. */
  readonly failureAs?: FailureForm
  /** A dedup key for an alert for which none is given or can be derived. */
  readonly randomKey: () => string
  /** Whether PagerDuty holds back an alert that says the deployment has begun, which every outcome resolves. */
  readonly isSuspended?: boolean
}

/** The events of one invocation, within PagerDuty's limits, and what the user should know about them. */
export interface Plan {
  readonly events: readonly Event[]
  readonly warnings: readonly string[]
}

/** What the events of a command are about. */
const SUBJECTS: Readonly<Record<Exclude<EventCommand, FollowUp>, Subject>> = {
  success: { outcome: 'success' },
  failure: { outcome: 'failure' },
  'soft-failure': { outcome: 'failure' }, // reported, but it pages nobody
  cancelled: { outcome: 'cancelled' },
  change: 'options',
  trigger: 'options',
}

type FollowUp = Exclude<Action, 'trigger'>

/**
 * Turns a command into its events.
 * @throws Failure of kind `usage` when an acknowledge or resolve has no alert to address
 */
export function planEvents(command: EventCommand, input: EventInput, options: PlanOptions): Plan {
  if (command === 'acknowledge' || command === 'resolve')
    return { events: [fitEvent(followUp(command, input)).event], warnings: [] }
  const summary = summarize(input, SUBJECTS[command])
  const warnings = summary.isReplaced ? [EMPTY_SUMMARY] : []
  const reports = reportsOf(command, { input, options, summary, warnings })
  const fitted = [...reports, ...endOfStart(command, input, options)].map(fitEvent)
  return {
    events: fitted.map((one) => one.event),
    warnings: [...warnings, ...cutWarning(fitted.flatMap((one) => one.cuts))],
  }
}

const EMPTY_SUMMARY = 'the --summary template renders empty; the default summary is used instead'

/** @throws Failure of kind `usage` if there is no alert to address */
function followUp(action: FollowUp, { identity }: EventInput): Event {
  if (identity.dedupKey !== undefined) return buildFollowUp(action, identity.dedupKey.value)
  throw new Failure(
    'usage',
    `${action} needs --dedup-key (PAGERDUTY_DEDUP_KEY): there is no build to derive it from`,
  )
}

/** The resolve of the alert that said the deployment has begun. */
function endOfStart(command: EventCommand, { identity }: EventInput, { isSuspended }: PlanOptions): Event[] {
  const isOutcome = command !== 'change' && command !== 'trigger'
  return isSuspended === true && isOutcome && identity.dedupKey !== undefined
    ? [buildFollowUp('resolve', startedKeyFor(identity.dedupKey.value))]
    : []
}

interface Planning {
  readonly input: EventInput
  readonly options: PlanOptions
  readonly summary: Summary
  /** What the user should know is added to it. */
  readonly warnings: string[]
}

function reportsOf(command: Exclude<EventCommand, FollowUp>, planning: Planning): Event[] {
  const { input, options, summary, warnings } = planning
  const subject = SUBJECTS[command]
  const dedupKey = input.identity.dedupKey?.value
  switch (command) {
    case 'success':
      return successEvents(planning)
    case 'cancelled':
    case 'soft-failure':
    case 'change':
      return [buildChange(input, subject, summary)]
    case 'failure':
      if (!isAlert(planning)) return [buildChange(input, subject, summary)]
      if (dedupKey === undefined) warnings.push(RANDOM_KEY)
      return [buildTrigger(input, subject, dedupKey ?? options.randomKey(), summary)]
    case 'trigger':
      return [buildTrigger(input, subject, dedupKey ?? options.randomKey(), summary)]
  }
}

function isAlert({ input: { streak }, options }: Planning): boolean {
  return options.failureAs !== 'change' && (streak === undefined || isPaging(streak))
}

const RANDOM_KEY =
  'no repository is known, so the alert gets a random dedup key and no later success resolves it; ' +
  'set --dedup-key or PAGERDUTY_REPOSITORY_URL'

function successEvents({ input, options, summary, warnings }: Planning): Event[] {
  const { as, resolve, randomKey } = options
  const subject = SUBJECTS.success
  const failureKey = input.identity.dedupKey?.value
  const infoKey = failureKey === undefined ? randomKey() : successKeyFor(failureKey)
  const events: Event[] = []
  if (as !== 'alert') events.push(buildChange(input, subject, summary))
  if (as !== 'change') events.push(buildTrigger(input, subject, infoKey, summary))
  if (resolve === 'auto' && failureKey !== undefined) events.push(buildFollowUp('resolve', failureKey))
  if (resolve === 'auto' && failureKey === undefined) {
    warnings.push('no repository and no --dedup-key is known, so no failure alert is resolved')
  }
  return events
}
