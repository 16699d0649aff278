import type { Build, Environment } from '../core/build.ts'
import { meaningful, readFields } from './read-fields.ts'

/**
 * Codeship Pro and Basic, and whatever exports variables under Codeship's names: they are used wherever they are
 * present, `CI_NAME` or not. Basic calls some of them otherwise and has a link; Pro has UUIDs and no link.
 *
 * https://documentation.codeship.com/pro/builds-and-configuration/environment-variables/
 * https://documentation.codeship.com/basic/builds-and-configuration/set-environment-variables/
 */
export function readCodeship(env: Environment): Build {
  const ci = nameOf(env)
  const build = readFields(env, {
    ci: [ci],
    repository: ['CI_REPO_NAME'],
    branch: ['CI_BRANCH'],
    commit: ['CI_COMMIT_ID'],
    commitMessage: ['CI_COMMIT_MESSAGE', 'CI_MESSAGE'],
    commitDescription: ['CI_COMMIT_DESCRIPTION'],
    committer: ['CI_COMMITTER_NAME', 'CI_COMMITTER_USERNAME', 'CI_COMMITTER_EMAIL'],
    buildId: ['CI_BUILD_ID', 'CI_BUILD_NUMBER'],
    projectId: ['CI_PROJECT_ID', { value: projectOf(env.CI_BUILD_URL), origin: 'CI_BUILD_URL' }],
    pullRequest: ['CI_PR_NUMBER', { value: numberOf(env.CI_PULL_REQUEST), origin: 'CI_PULL_REQUEST' }],
    pullRequestUrl: ['CI_PULL_REQUEST'],
    buildUrl: ['CI_BUILD_URL', { value: proUrl(env, ci.value), origin: 'CI_PROJECT_ID, CI_BUILD_ID' }],
  })
  if (env.CI_BUILD_APPROVED?.trim().toLowerCase() !== 'true') return build
  return { ...build, approved: true, origins: { ...build.origins, approved: 'CI_BUILD_APPROVED' } }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The CI's own name. Without a `CI_NAME`, as jet starts steps locally, two UUIDs show that it is Codeship Pro. */
function nameOf(env: Environment): { value: string | undefined; origin: string } {
  const name = meaningful(env.CI_NAME)
  if (name !== undefined) return { value: /^codeship$/i.test(name) ? 'Codeship' : name, origin: 'CI_NAME' }
  const isPro = [env.CI_PROJECT_ID, env.CI_BUILD_ID].every((id) => UUID.test(id?.trim() ?? ''))
  return { value: isPro ? 'Codeship' : undefined, origin: 'CI_PROJECT_ID, CI_BUILD_ID' }
}

/** Pro gives no link. This form is what its users build by hand; a `CI_BUILD_URL` of their own wins over it. */
function proUrl({ CI_PROJECT_ID, CI_BUILD_ID }: Environment, ci: string | undefined): string | undefined {
  const [project, build] = [meaningful(CI_PROJECT_ID), meaningful(CI_BUILD_ID)]
  if (ci !== 'Codeship' || project === undefined || build === undefined) return undefined
  return `https://app.codeship.com/projects/${encodeURIComponent(project)}/builds/${encodeURIComponent(build)}`
}

/** On Basic the project's number is in the build's URL only. */
function projectOf(buildUrl: string | undefined): string | undefined {
  return /\/projects\/([^/]+)\/builds\//.exec(buildUrl ?? '')?.[1]
}

function numberOf(pullRequest: string | undefined): string | undefined {
  return /(?:^|\/)(\d+)\/?$/.exec(pullRequest?.trim() ?? '')?.[1]
}
