import type { DeploymentState } from '../../core/deployment-state.ts'
import { buildOf, isAuthorized, reportOf, textAt, type Hook } from './hook.ts'
import { isSameSecret } from '../same-secret.ts'

/**
 * Codeship's project webhook. It reports `stopped` and `infrastructure_failure`, which no step of a build can. It cannot
 * send a header, so its secret is the password in the webhook's address, or `?token=` in it.
 *
 * https://documentation.codeship.com/general/projects/notifications/ (webhooks)
 */
export const CODESHIP_HOOK: Hook = {
  isAuthentic: (request, secret) =>
    isAuthorized(request, secret) || isSameSecret(request.query['token'] ?? '', secret),
  read: ({ body, query }) => {
    const text = (name: string): string | undefined => textAt(body, 'build', name)
    const state = STATES[text('status') ?? '']
    if (state === undefined) return 'the build has neither begun nor ended'
    const branch = text('branch')
    if (query['branch'] !== undefined && query['branch'] !== branch) return 'the build is for another branch'
    return reportOf({
      state,
      build: buildOf({
        ci: 'Codeship',
        // The name without its owner is not the one that steps know, so the deprecated member comes first.
        repository: text('project_full_name') ?? text('project_name'),
        branch,
        commit: text('commit_id'),
        commitMessage: text('message'),
        committer: text('committer'),
        buildId: text('build_id'),
        projectId: text('project_id'),
        buildUrl: text('build_url'),
        commitUrl: text('commit_url'),
      }),
      environment: query['environment'],
    })
  },
}

const STATES: Readonly<Partial<Record<string, DeploymentState>>> = {
  initiated: 'started',
  success: 'success',
  error: 'failure',
  infrastructure_failure: 'failure',
  stopped: 'cancelled',
}
