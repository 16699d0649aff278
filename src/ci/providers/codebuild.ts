import type { Environment } from '../../core/build.ts'
import { ciName, derived, isSet, readFields, type Provider, type Source } from '../fields.ts'
import { pageFrom, repositoryFrom } from '../repository-url.ts'

/**
 * AWS CodeBuild.
 *
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
 */
export const CODEBUILD: Provider = {
  matches: (env) => isSet(env.CODEBUILD_BUILD_ID),
  read: (env) =>
    readFields(env, {
      ci: [ciName('AWS CodeBuild', 'CODEBUILD_BUILD_ID')],
      // CodePipeline does not say where the source came from, so the project's name takes its place: it never changes.
      repository: [repositoryFrom(env, 'CODEBUILD_SOURCE_REPO_URL'), projectName(env)],
      branch: [
        'CODEBUILD_WEBHOOK_HEAD_REF',
        triggered(env, 'branch'),
        triggered(env, 'tag'),
        // A build that was started by hand or on a schedule has no webhook, but it has the version that was requested.
        derived(env, ['CODEBUILD_SOURCE_VERSION'], requestedRef),
      ],
      tag: [triggered(env, 'tag')],
      commit: ['CODEBUILD_RESOLVED_SOURCE_VERSION'],
      buildId: ['CODEBUILD_BUILD_NUMBER', 'CODEBUILD_BUILD_ID'],
      pullRequest: [triggered(env, 'pr')],
      buildUrl: [
        'CODEBUILD_PUBLIC_BUILD_URL',
        'CODEBUILD_BUILD_URL',
        derived(env, ['AWS_REGION', 'CODEBUILD_BUILD_ID'], consoleUrl),
      ],
      repositoryUrl: [pageFrom(env, 'CODEBUILD_SOURCE_REPO_URL')],
      base: ['CODEBUILD_WEBHOOK_PREV_COMMIT'],
      job: [projectName(env)],
    }),
}

/** What started the build: `branch/main`, `tag/v1`, `pr/12`. */
function triggered(env: Environment, kind: 'branch' | 'tag' | 'pr'): Source {
  return derived(env, ['CODEBUILD_WEBHOOK_TRIGGER'], (trigger) =>
    trigger.startsWith(`${kind}/`) ? trigger.slice(kind.length + 1) : undefined,
  )
}

/** `shop-deploy` of `shop-deploy:b1e6661e-…`. */
function projectName(env: Environment): Source {
  return derived(env, ['CODEBUILD_BUILD_ID'], (id) => id.split(':')[0])
}

/** The ref of `main`, `refs/heads/main^{5f0c1d2}` or `pr/12`; undefined for a commit, or for CodePipeline's archive. */
function requestedRef(version: string): string | undefined {
  if (/^[0-9a-f]{7,64}$/.test(version) || version.startsWith('arn:')) return undefined
  return version.replace(/\^\{[^{}]*\}$/, '')
}

function consoleUrl(region: string, id: string): string {
  const page = `https://${region}.console.aws.amazon.com/codebuild/home?region=${region}`
  return `${page}#/builds/${encodeURIComponent(id)}/view/new`
}
