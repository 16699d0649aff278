import type { DeploymentState } from '../../core/deployment-state.ts'
import {
  buildOf,
  isSigned,
  reportOf,
  textAt,
  timeAt,
  type Hook,
  type HookReport,
  type HookRequest,
} from './hook.ts'

/**
 * GitHub's webhooks `workflow_run` and `deployment_status`. Most workflows deploy nothing, so those count whose name the
 * address gives (`?workflow=Deploy`), or whose name has "deploy" in it.
 *
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */
export const GITHUB_HOOK: Hook = {
  isAuthentic: ({ headers, rawBody }, secret) => isSigned(headers['x-hub-signature-256'], rawBody, secret),
  read: (request) => {
    const event = request.headers['x-github-event']
    if (event === 'workflow_run') return readWorkflowRun(request)
    if (event === 'deployment_status') return readDeploymentStatus(request)
    return 'only workflow_run and deployment_status report deployments'
  },
}

/** https://docs.github.com/en/rest/checks/runs (conclusions) */
const CONCLUSIONS: Readonly<Partial<Record<string, DeploymentState>>> = {
  success: 'success',
  neutral: 'success',
  failure: 'failure',
  timed_out: 'failure',
  startup_failure: 'failure',
  cancelled: 'cancelled',
  stale: 'cancelled',
}

function readWorkflowRun({ body, query }: HookRequest): HookReport | string {
  const text = (...path: readonly string[]): string | undefined => textAt(body, 'workflow_run', ...path)
  const name = text('name') ?? ''
  const isMeant = query['workflow'] === undefined ? /deploy/i.test(name) : query['workflow'] === name
  if (!isMeant) return 'the workflow is not a deployment; name one with ?workflow='
  const isOver = textAt(body, 'action') === 'completed'
  const state = isOver ? CONCLUSIONS[text('conclusion') ?? ''] : 'started'
  if (state === undefined) return 'the workflow was skipped or is waiting for approval'
  const branch = text('head_branch')
  if (query['branch'] !== undefined && query['branch'] !== branch) return 'the workflow ran on another branch'
  return reportOf({
    state,
    build: buildOf({
      ci: 'GitHub Actions',
      repository: textAt(body, 'repository', 'full_name'),
      repositoryUrl: textAt(body, 'repository', 'html_url'),
      branch,
      commit: text('head_sha'),
      commitMessage: text('head_commit', 'message'),
      committer: text('head_commit', 'author', 'name') ?? text('actor', 'login'),
      buildId: text('id'),
      buildUrl: text('html_url'),
      job: name,
    }),
    environment: query['environment'],
    startedAtMs: timeAt(body, 'workflow_run', 'run_started_at'),
    endedAtMs: isOver ? timeAt(body, 'workflow_run', 'updated_at') : undefined,
  })
}

/** https://docs.github.com/en/rest/deployments/statuses */
const STATUS_STATES: Readonly<Partial<Record<string, DeploymentState>>> = {
  in_progress: 'started',
  success: 'success',
  failure: 'failure',
  error: 'failure',
}

function readDeploymentStatus({ body, query }: HookRequest): HookReport | string {
  const status = (name: string): string | undefined => textAt(body, 'deployment_status', name)
  const state = STATUS_STATES[status('state') ?? '']
  if (state === undefined) return 'the deployment has neither begun nor ended'
  const environment = status('environment') ?? textAt(body, 'deployment', 'environment')
  if (query['environment'] !== undefined && query['environment'] !== environment)
    return 'the deployment is to another environment'
  return reportOf({
    state,
    build: buildOf({
      ci: 'GitHub deployment',
      repository: textAt(body, 'repository', 'full_name'),
      repositoryUrl: textAt(body, 'repository', 'html_url'),
      branch: textAt(body, 'deployment', 'ref'),
      commit: textAt(body, 'deployment', 'sha'),
      committer: textAt(body, 'deployment', 'creator', 'login'),
      buildId: textAt(body, 'deployment', 'id'),
      buildUrl: status('log_url') ?? status('target_url'),
    }),
    environment,
    startedAtMs: timeAt(body, 'deployment', 'created_at'),
    endedAtMs: state === 'started' ? undefined : timeAt(body, 'deployment_status', 'updated_at'),
  })
}
