import type { DeploymentState } from '../../core/deployment-state.ts'
import { GITLAB_CI_NAME } from '../../ci/repository-host.ts'
import {
  at,
  buildOf,
  reportOf,
  textAt,
  timeAt,
  type Hook,
  type HookReport,
  type HookRequest,
} from './hook.ts'
import { isSameSecret } from '../same-secret.ts'

/**
 * GitLab's webhooks for deployments and pipelines. A pipeline counts if one of its jobs has an environment, so that a
 * pipeline that only tests pages nobody.
 *
 * https://docs.gitlab.com/user/project/integrations/webhook_events/
 */
export const GITLAB_HOOK: Hook = {
  isAuthentic: ({ headers }, secret) => isSameSecret(headers['x-gitlab-token'] ?? '', secret),
  read: (request) => {
    const kind = textAt(request.body, 'object_kind')
    if (kind === 'deployment') return readDeployment(request)
    if (kind === 'pipeline') return readPipeline(request)
    return 'only deployments and pipelines report deployments'
  },
}

/** Deployments and pipelines use the same words. */
const STATES: Readonly<Partial<Record<string, DeploymentState>>> = {
  running: 'started',
  success: 'success',
  failed: 'failure',
  canceled: 'cancelled',
}

function readDeployment({ body, query }: HookRequest): HookReport | string {
  const text = (...path: readonly string[]): string | undefined => textAt(body, ...path)
  const state = STATES[text('status') ?? '']
  if (state === undefined) return 'the deployment has neither begun nor ended'
  const environment = text('environment')
  if (query['environment'] !== undefined && query['environment'] !== environment)
    return 'the deployment is to another environment'
  const changedAtMs = timeAt(body, 'status_changed_at')
  return reportOf({
    state,
    build: buildOf({
      ci: GITLAB_CI_NAME,
      ...projectOf(body),
      branch: text('ref'),
      // The whole id is only in the commit's address.
      commit: /\/commit\/([0-9a-f]{40})$/.exec(text('commit_url') ?? '')?.[1] ?? text('short_sha'),
      commitMessage: text('commit_title'),
      commitUrl: text('commit_url'),
      committer: text('user', 'name'),
      buildId: text('deployable_id') ?? text('deployment_id'),
      buildUrl: text('deployable_url'),
    }),
    environment,
    [state === 'started' ? 'startedAtMs' : 'endedAtMs']: changedAtMs,
  })
}

function readPipeline({ body, query }: HookRequest): HookReport | string {
  const text = (name: string): string | undefined => textAt(body, 'object_attributes', name)
  const state = STATES[text('status') ?? '']
  if (state === undefined) return 'the pipeline has neither begun nor ended'
  const jobs = at(body, 'builds')
  const environments = Array.isArray(jobs)
    ? jobs.flatMap((job) => textAt(job, 'environment', 'name') ?? [])
    : []
  const environment = query['environment'] ?? environments.at(-1)
  if (environment === undefined || !environments.includes(environment))
    return 'no job of the pipeline deploys to that environment'
  return reportOf({
    state,
    build: buildOf({
      ci: GITLAB_CI_NAME,
      ...projectOf(body),
      branch: text('ref'),
      ...(at(body, 'object_attributes', 'tag') === true && { tag: text('ref') }),
      commit: text('sha'),
      base: text('before_sha'),
      commitMessage: textAt(body, 'commit', 'message'),
      committer: textAt(body, 'commit', 'author', 'name') ?? textAt(body, 'user', 'name'),
      commitUrl: textAt(body, 'commit', 'url'),
      buildId: text('id'),
      buildUrl: text('url'),
      pullRequest: textAt(body, 'merge_request', 'iid'),
    }),
    environment,
    startedAtMs: timeAt(body, 'object_attributes', 'created_at'),
    endedAtMs: timeAt(body, 'object_attributes', 'finished_at'),
  })
}

function projectOf(body: unknown): Parameters<typeof buildOf>[0] {
  return {
    repository: textAt(body, 'project', 'path_with_namespace'),
    repositoryUrl: textAt(body, 'project', 'web_url'),
    projectId: textAt(body, 'project', 'id'),
  }
}
