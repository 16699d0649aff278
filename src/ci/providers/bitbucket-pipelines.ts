import { ciName, derived, isSet, legOf, readFields, type Provider } from '../fields.ts'

const PAGE = 'https://bitbucket.org'

/**
 * Bitbucket Pipelines. It gives only the commit's id, and people only as numbers.
 *
 * https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
 */
export const BITBUCKET_PIPELINES: Provider = {
  matches: (env) => isSet(env.BITBUCKET_BUILD_NUMBER),
  read: (env) =>
    readFields(env, {
      ci: [ciName('Bitbucket Pipelines', 'BITBUCKET_BUILD_NUMBER')],
      repository: ['BITBUCKET_REPO_FULL_NAME'],
      branch: ['BITBUCKET_BRANCH', 'BITBUCKET_TAG'],
      tag: ['BITBUCKET_TAG'],
      commit: ['BITBUCKET_COMMIT'],
      buildId: ['BITBUCKET_BUILD_NUMBER'],
      pullRequest: ['BITBUCKET_PR_ID'],
      buildUrl: [
        derived(
          env,
          ['BITBUCKET_REPO_FULL_NAME', 'BITBUCKET_BUILD_NUMBER'],
          (repository, build) => `${PAGE}/${repository}/pipelines/results/${build}`,
        ),
      ],
      jobUrl: [
        derived(
          env,
          ['BITBUCKET_REPO_FULL_NAME', 'BITBUCKET_BUILD_NUMBER', 'BITBUCKET_STEP_UUID'],
          (repository, build, step) =>
            `${PAGE}/${repository}/pipelines/results/${build}/steps/${encodeURIComponent(step)}`,
        ),
      ],
      repositoryUrl: [derived(env, ['BITBUCKET_REPO_FULL_NAME'], (repository) => `${PAGE}/${repository}`)],
      leg: [legOf(env, 'BITBUCKET_PARALLEL_STEP_COUNT', ['BITBUCKET_PARALLEL_STEP'], 'step')],
      environment: ['BITBUCKET_DEPLOYMENT_ENVIRONMENT'],
    }),
}
