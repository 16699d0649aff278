import type { Build, Environment } from '../../core/build.ts'
import { ciName, derived, isSet, readFields } from '../fields.ts'

/**
 * Codeship Pro and Basic, and anything that exports variables with Codeship's names: they are used if they are set, with or
 * without `CI_NAME`. Basic has other names for some of them, and a link to the build; Pro has UUIDs and no link.
 * @param native the name of the CI, if it is known to be another one
 *
 * https://documentation.codeship.com/pro/builds-and-configuration/environment-variables/
 * https://documentation.codeship.com/basic/builds-and-configuration/set-environment-variables/
 */
export function readCodeship(env: Environment, native?: string): Build {
  const build = readFields(env, {
    ci: native === undefined ? [isCodeship(env) ? ciName('Codeship', 'CI_NAME') : 'CI_NAME'] : [],
    repository: ['CI_REPO_NAME'],
    branch: ['CI_BRANCH'],
    commit: ['CI_COMMIT_ID'],
    commitMessage: ['CI_COMMIT_MESSAGE', 'CI_MESSAGE'],
    commitDescription: ['CI_COMMIT_DESCRIPTION'],
    committer: ['CI_COMMITTER_NAME', 'CI_COMMITTER_USERNAME', 'CI_COMMITTER_EMAIL'],
    buildId: ['CI_BUILD_ID', 'CI_BUILD_NUMBER'],
    // On Basic the project's number is only in the build's URL.
    projectId: [
      'CI_PROJECT_ID',
      derived(env, ['CI_BUILD_URL'], (url) => /\/projects\/([^/]+)\/builds\//.exec(url)?.[1]),
    ],
    pullRequest: [
      'CI_PR_NUMBER',
      derived(env, ['CI_PULL_REQUEST'], (text) => /(?:^|\/)(\d+)\/?$/.exec(text)?.[1]),
    ],
    pullRequestUrl: ['CI_PULL_REQUEST'],
    // Pro has no link. Its users build one in this form by hand; a CI_BUILD_URL of their own wins over it.
    buildUrl: [
      'CI_BUILD_URL',
      ...(native === undefined && isCodeship(env)
        ? [derived(env, ['CI_PROJECT_ID', 'CI_BUILD_ID'], proUrl)]
        : []),
    ],
  })
  if (env.CI_BUILD_APPROVED?.trim().toLowerCase() !== 'true') return build
  return { ...build, approved: true, origins: { ...build.origins, approved: 'CI_BUILD_APPROVED' } }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Recognized by its name or, if there is none (jet runs steps locally), by two UUIDs that only Codeship Pro sets. */
export function isCodeship({ CI_NAME: name, CI_PROJECT_ID, CI_BUILD_ID }: Environment): boolean {
  return isSet(name)
    ? name.trim().toLowerCase() === 'codeship'
    : [CI_PROJECT_ID, CI_BUILD_ID].every((id) => UUID.test(id?.trim() ?? ''))
}

function proUrl(project: string, build: string): string {
  return `https://app.codeship.com/projects/${encodeURIComponent(project)}/builds/${encodeURIComponent(build)}`
}
