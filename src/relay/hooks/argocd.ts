import type { DeploymentState } from '../../core/deployment-state.ts'
import { repositoryHost } from '../../ci/repository-host.ts'
import { repositoryPage } from '../../ci/repository-url.ts'
import { buildOf, isAuthorized, reportOf, textAt, timeAt, type Hook } from './hook.ts'

/**
 * Argo CD's notifications, whose webhook sends what a template says; the recipe's template sends the whole application:
 * `{"app": {{ toJson .app }}}`, with a header `Authorization: Bearer`.
 *
 * https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/
 * https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/templates/
 */
export const ARGOCD_HOOK: Hook = {
  isAuthentic: isAuthorized,
  read: ({ body, query }) => {
    const text = (...path: readonly string[]): string | undefined => textAt(body, 'app', ...path)
    const operation = ['status', 'operationState'] as const
    const name = text('metadata', 'name')
    const state = PHASES[text(...operation, 'phase') ?? '']
    if (state === undefined || name === undefined) return 'the application is not being synced'
    const page = repositoryPage(text('spec', 'source', 'repoURL') ?? '')
    const namespace = text('spec', 'destination', 'namespace')
    const environment = query['environment'] ?? namespace
    return reportOf({
      state,
      build: buildOf({
        ci: 'Argo CD',
        repository: page === undefined ? name : repositoryHost(page).name(page),
        repositoryUrl: page,
        branch: text('spec', 'source', 'targetRevision'),
        commit: commitOf(text(...operation, 'syncResult', 'revision') ?? text('status', 'sync', 'revision')),
        committer: text(...operation, 'operation', 'initiatedBy', 'username'),
        // Every sync has a start of its own.
        buildId: text(...operation, 'startedAt'),
        job: name,
      }),
      environment,
      output: text(...operation, 'message'),
      startedAtMs: timeAt(body, 'app', ...operation, 'startedAt'),
      endedAtMs: timeAt(body, 'app', ...operation, 'finishedAt'),
    })
  },
}

/** https://pkg.go.dev/github.com/argoproj/gitops-engine/pkg/sync/common#OperationPhase */
const PHASES: Readonly<Partial<Record<string, DeploymentState>>> = {
  Running: 'started',
  Succeeded: 'success',
  Failed: 'failure',
  Error: 'failure',
  Terminating: 'cancelled',
}

function commitOf(revision: string | undefined): string | undefined {
  return /^[0-9a-f]{40}$/.test(revision ?? '') ? revision : undefined
}
