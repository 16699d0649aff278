import type { DeploymentOutcome } from './deployment-state.ts'
import type { Build } from './build.ts'
import type { Action, Event, Image, Link, Payload, Severity } from './event.ts'
import type { Streak } from './failure-streak.ts'
import { dedupKeyFor, type Identity, type IdentityChoices } from './identity.ts'
import type { JsonObject } from './json.ts'
import { present } from './present.ts'
import {
  defaultSummary,
  renderTemplate,
  whyNotPaged,
  shortCommit,
  type CommandResult,
  type SummaryFacts,
} from './summary.ts'

/** What the user said about the event, already validated. A field not given is absent. */
export interface EventFields {
  /** Template, see `renderTemplate`. */
  readonly summary?: string
  readonly severity?: Severity
  readonly component?: string
  readonly group?: string
  readonly class?: string
  readonly details?: JsonObject
  readonly links?: readonly Link[]
  readonly images?: readonly Image[]
  readonly client?: string
  readonly clientUrl?: string
  /** ISO 8601 with `Z`. */
  readonly timestamp?: string
  /** The deployment is a rollback. */
  readonly isRollback?: boolean
}

/** Everything an event is made of. Time and randomness are arguments, so that the same input gives the same event. */
export interface EventInput {
  readonly fields: EventFields
  readonly build: Build
  readonly identity: Identity
  /** The environment that the user named; `identity` may also have the build's. */
  readonly environment?: string
  readonly result: CommandResult
  /** If it is a failure, and failures are counted. */
  readonly streak?: Streak
  readonly nowIso: string
}

/** The parts of an `EventInput`. */
export interface InputParts {
  readonly fields: EventFields
  /** The choices that `identity` was decided by. */
  readonly choices: IdentityChoices
  readonly build: Build
  readonly identity: Identity
  readonly result?: CommandResult
  readonly nowIso: string
}

/** Combines what the user, the build and the clock say. */
export function eventInput({ choices, result = {}, ...parts }: InputParts): EventInput {
  return {
    ...parts,
    ...(choices.environment && { environment: choices.environment.value }),
    result,
  }
}

/** Whether the event reports the build's deployment, or only what the options say. */
export type Subject = { outcome: DeploymentOutcome } | 'options'

/** The text of a summary. Events of the same deployment share it, so it is rendered once. */
export interface Summary {
  readonly text: string
  /** Whether the text is the default because the user's template renders empty. */
  readonly isReplaced: boolean
}

/** Renders the user's template, or the default summary if there is no template or it renders empty. */
export function summarize(
  { fields, build, identity, result, streak }: EventInput,
  subject: Subject,
): Summary {
  const outcome = subject === 'options' ? undefined : subject.outcome
  const { isRollback } = fields
  const facts = { build, environment: identity.environment?.value, outcome, result, isRollback, streak }
  const rendered = fields.summary === undefined ? '' : renderTemplate(fields.summary, facts)
  if (rendered === '')
    return { text: fallbackSummary(facts, identity), isReplaced: fields.summary !== undefined }
  const reason = whyNotPaged(facts)
  return { text: reason === undefined ? rendered : `${rendered} (${reason})`, isReplaced: false }
}

/** The change event of a deployment that succeeded or was cancelled, or one from options only. */
export function buildChange(
  input: EventInput,
  subject: Subject,
  { text }: Summary = summarize(input, subject),
): Event {
  const { source } = input.identity
  const { component, group, class: className, client, clientUrl } = input.fields
  // A change event has no such fields, so the user's values go into the details.
  const given = present({
    component,
    group,
    class: className,
    client,
    client_url: clientUrl,
    dedup_key: subject === 'options' ? undefined : unusualKey(input),
  })
  const payload: Payload = { ...basicPayload(input, subject, text, given), source: source.value }
  return { kind: 'change', body: { payload, ...attachments(input, subject) } }
}

/** The dedup key of the failure alert, unless it follows from repository, environment and step. */
function unusualKey({ build, identity }: EventInput): string | undefined {
  const { dedupKey, environment, step } = identity
  const { repository } = build
  if (repository === undefined) return dedupKey?.value
  const usual = dedupKeyFor({ repository, environment: environment?.value, step: step?.value })
  return dedupKey?.value === usual ? undefined : dedupKey?.value
}

/** The trigger of a failed deployment, the info alert of a successful one, or a trigger from options only. */
export function buildTrigger(
  input: EventInput,
  subject: Subject,
  dedupKey: string,
  { text }: Summary = summarize(input, subject),
): Event {
  const { fields, build, identity } = input
  const isDeployment = subject !== 'options'
  const severity = fields.severity ?? (isDeployment && subject.outcome === 'success' ? 'info' : 'error')
  const component = fields.component ?? (isDeployment ? build.repository : undefined)
  const group = fields.group ?? (isDeployment ? identity.environment?.value : input.environment)
  const className =
    fields.class ?? (isDeployment ? (fields.isRollback === true ? 'rollback' : 'deploy') : undefined)
  const client = fields.client ?? (isDeployment ? build.ci : undefined)
  const clientUrl = fields.clientUrl ?? (isDeployment ? build.buildUrl : undefined)
  const { summary, ...rest } = basicPayload(input, subject, text)
  const payload: Payload = {
    summary,
    source: identity.source.value,
    severity,
    ...present({ component, group, class: className }),
    ...rest,
  }
  return {
    kind: 'alert',
    body: {
      event_action: 'trigger',
      dedup_key: dedupKey,
      payload,
      ...attachments(input, subject),
      ...present({ client, client_url: clientUrl }),
    },
  }
}

/** An acknowledge or resolve: PagerDuty reads only the action and the key. */
export function buildFollowUp(action: Exclude<Action, 'trigger'>, dedupKey: string): Event {
  return { kind: 'alert', body: { event_action: action, dedup_key: dedupKey } }
}

function basicPayload(input: EventInput, subject: Subject, summary: string, given: JsonObject = {}): Payload {
  const { fields, nowIso } = input
  const own = subject === 'options' ? optionDetails(input) : deploymentDetails(input, subject.outcome)
  const details = { ...own, ...given, ...fields.details }
  return {
    summary,
    timestamp: fields.timestamp ?? nowIso,
    ...(Object.keys(details).length > 0 && { custom_details: details }),
  }
}

function fallbackSummary(facts: SummaryFacts, identity: Identity): string {
  return facts.outcome === undefined ? `Event from ${identity.source.value}` : defaultSummary(facts)
}

function attachments(
  { fields, build }: EventInput,
  subject: Subject,
): { links?: Link[]; images?: readonly Image[] } {
  const links = [...(subject === 'options' ? [] : buildLinks(build)), ...(fields.links ?? [])]
  return {
    ...(links.length > 0 && { links }),
    ...(fields.images && fields.images.length > 0 && { images: fields.images }),
  }
}

/** Links to the pages of the build, the most useful to a responder first. */
function buildLinks(build: Build): Link[] {
  const link = (href: string | undefined, text: string): Link[] =>
    href === undefined ? [] : [{ href, text }]
  return [
    ...link(build.buildUrl, [build.ci, 'build'].filter(Boolean).join(' ')),
    ...link(build.jobUrl, ['Job', build.job].filter(Boolean).join(' ')),
    ...link(build.commitUrl, `Commit ${shortCommit(build.commit) ?? ''}`.trim()),
    ...link(build.compareUrl, ['Changes', shortCommit(build.base)].filter(Boolean).join(' since ')),
    ...link(
      build.pullRequestUrl,
      build.pullRequest === undefined ? 'Pull request' : `Pull request #${build.pullRequest}`,
    ),
  ]
}

/** `custom_details` of a deployment, under names that stay the same: rules and correlation build on them. */
function deploymentDetails(
  { build, identity, result, fields, streak }: EventInput,
  outcome: DeploymentOutcome,
): JsonObject {
  return present({
    outcome,
    rollback: fields.isRollback === true ? true : undefined,
    failures_in_a_row: streak?.failures,
    ci: build.ci,
    environment: identity.environment?.value,
    step: identity.step?.value,
    repository: build.repository,
    branch: build.branch,
    commit: build.commit,
    commit_message: build.commitMessage,
    commit_description: build.commitDescription,
    committer: build.committer,
    build_id: build.buildId,
    project_id: build.projectId,
    pull_request: build.pullRequest ?? build.pullRequestUrl,
    approved: build.approved,
    job: build.job,
    exit_code: result.exitCode,
    signal: result.signal,
    started_at: result.startedAt,
    duration_seconds: result.durationSeconds,
    output: result.output,
    command: result.command,
  })
}

/** `custom_details` of an event from options only: where and what was deployed, if the options say so. */
function optionDetails({ environment, identity }: EventInput): JsonObject {
  return present({ environment, step: identity.step?.value })
}
