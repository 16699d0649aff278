import type { Environment } from '../core/build.ts'
import { isSet, made, named, pageFrom, refName, repositoryFrom } from './made.ts'
import type { Provider } from './provider.ts'
import { readFields, type Made } from './read-fields.ts'

/**
 * AWS CodeBuild.
 *
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
 */
export const CODEBUILD: Provider = {
  matches: (env) => isSet(env.CODEBUILD_BUILD_ID),
  read: (env) =>
    readFields(env, {
      ci: [named('AWS CodeBuild', 'CODEBUILD_BUILD_ID')],
      repository: [repositoryFrom(env, 'CODEBUILD_SOURCE_REPO_URL')],
      branch: [refName(env, 'CODEBUILD_WEBHOOK_HEAD_REF'), triggered(env, 'branch'), triggered(env, 'tag')],
      tag: [triggered(env, 'tag')],
      commit: ['CODEBUILD_RESOLVED_SOURCE_VERSION'],
      buildId: ['CODEBUILD_BUILD_NUMBER', 'CODEBUILD_BUILD_ID'],
      pullRequest: [triggered(env, 'pr')],
      buildUrl: [
        'CODEBUILD_PUBLIC_BUILD_URL',
        'CODEBUILD_BUILD_URL',
        made(env, ['AWS_REGION', 'CODEBUILD_BUILD_ID'], consoleUrl),
      ],
      repositoryUrl: [pageFrom(env, 'CODEBUILD_SOURCE_REPO_URL')],
      base: ['CODEBUILD_WEBHOOK_PREV_COMMIT'],
      job: [made(env, ['CODEBUILD_BUILD_ID'], (id) => id.split(':')[0])],
    }),
}

/** What started the build: `branch/main`, `tag/v1`, `pr/12`. */
function triggered(env: Environment, kind: 'branch' | 'tag' | 'pr'): Made {
  return made(env, ['CODEBUILD_WEBHOOK_TRIGGER'], (trigger) =>
    trigger.startsWith(`${kind}/`) ? trigger.slice(kind.length + 1) : undefined,
  )
}

function consoleUrl(region: string, id: string): string {
  const page = `https://${region}.console.aws.amazon.com/codebuild/home?region=${region}`
  return `${page}#/builds/${encodeURIComponent(id)}/view/new`
}
