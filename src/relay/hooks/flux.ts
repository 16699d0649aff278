import type { DeploymentState } from '../../core/deployment-state.ts'
import { repositoryPage } from '../../ci/repository-url.ts'
import { at, buildOf, isAuthorized, isSigned, reportOf, textAt, timeAt, type Hook } from './hook.ts'

/**
 * Events of Flux's notification-controller, by its providers `generic-hmac` (signed) or `generic` (with a header
 * `Authorization: Bearer`). Only Kustomizations and HelmReleases deploy.
 *
 * https://fluxcd.io/flux/components/notification/providers/#generic-webhook-with-hmac
 * https://fluxcd.io/flux/components/notification/events/
 */
export const FLUX_HOOK: Hook = {
  isAuthentic: (request, secret) =>
    isSigned(request.headers['x-signature'], request.rawBody, secret) || isAuthorized(request, secret),
  read: ({ body, query }) => {
    const kind = textAt(body, 'involvedObject', 'kind')
    if (kind !== 'Kustomization' && kind !== 'HelmRelease')
      return 'only Kustomizations and HelmReleases deploy'
    const [namespace, name] = ['namespace', 'name'].map((member) => textAt(body, 'involvedObject', member))
    const state = stateOf(textAt(body, 'reason') ?? '', textAt(body, 'severity'))
    if (state === undefined || name === undefined) return 'the reconciliation has neither begun nor ended'
    const revision = revisionOf(at(body, 'metadata'))
    const toldAtMs = timeAt(body, 'timestamp')
    const repositoryUrl = repositoryPage(query['repository'] ?? '')
    return reportOf({
      state,
      build: buildOf({
        ci: 'Flux',
        repository: [namespace, name].filter((part) => part !== undefined).join('/'),
        branch: revision.branch,
        commit: revision.commit,
        // Flux has no builds: the revision that it applied distinguishes one run from the next.
        buildId: revision.text,
        repositoryUrl,
        job: `${kind}/${name}`,
      }),
      environment: query['environment'],
      output: textAt(body, 'message'),
      [state === 'started' ? 'startedAtMs' : 'endedAtMs']: toldAtMs,
    })
  },
}

/** Reasons of the controllers' conditions; one that is not listed is a failure if its severity is error. */
const STATES: Readonly<Partial<Record<string, DeploymentState>>> = {
  Progressing: 'started',
  ReconciliationSucceeded: 'success',
  InstallSucceeded: 'success',
  UpgradeSucceeded: 'success',
  TestSucceeded: 'success',
}

function stateOf(reason: string, severity: string | undefined): DeploymentState | undefined {
  return severity === 'error' ? 'failure' : STATES[reason]
}

/** `main@sha1:5f0c…` of Git, `6.5.0` of a chart; under a plain name or one with the controller's prefix. */
function revisionOf(metadata: unknown): { text?: string; branch?: string; commit?: string } {
  const names = typeof metadata === 'object' && metadata !== null ? Object.keys(metadata) : []
  const name = names.find((candidate) => /(?:^|\/)revision$/.test(candidate))
  const text = name === undefined ? undefined : textAt(metadata, name)
  if (text === undefined) return {}
  const [, branch, commit] = /^(?:([^@]+)@)?(?:sha1:)?([0-9a-f]{40})$/.exec(text) ?? []
  return { text, ...(branch !== undefined && { branch }), ...(commit !== undefined && { commit }) }
}
