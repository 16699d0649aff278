import { ciName, readFields, type Provider } from '../fields.ts'

/**
 * Woodpecker CI. Version 1.0 renamed builds to pipelines.
 *
 * https://woodpecker-ci.org/docs/usage/environment#built-in-environment-variables
 */
export const WOODPECKER: Provider = {
  matches: (env) => env.CI?.trim().toLowerCase() === 'woodpecker',
  ownNames: ['CI_REPO_NAME', 'CI_BUILD_NUMBER', 'CI_BUILD_URL'],
  read: (env) =>
    readFields(env, {
      ci: [ciName('Woodpecker CI', 'CI')],
      repository: ['CI_REPO'],
      branch: ['CI_COMMIT_TAG', 'CI_COMMIT_SOURCE_BRANCH', 'CI_COMMIT_BRANCH'],
      tag: ['CI_COMMIT_TAG'],
      commit: ['CI_COMMIT_SHA'],
      commitMessage: ['CI_COMMIT_MESSAGE'],
      committer: ['CI_COMMIT_AUTHOR', 'CI_COMMIT_AUTHOR_EMAIL'],
      buildId: ['CI_PIPELINE_NUMBER', 'CI_BUILD_NUMBER'],
      pullRequest: ['CI_COMMIT_PULL_REQUEST'],
      buildUrl: ['CI_PIPELINE_URL', 'CI_BUILD_LINK'],
      jobUrl: ['CI_STEP_URL'],
      repositoryUrl: ['CI_REPO_URL', 'CI_REPO_LINK'],
      base: ['CI_PREV_COMMIT_SHA'],
      job: ['CI_STEP_NAME', 'CI_WORKFLOW_NAME'],
      environment: ['CI_PIPELINE_DEPLOY_TARGET', 'CI_BUILD_DEPLOY_TARGET'],
    }),
}
