import { ciName, derived, isSet, legOf, readFields, type Provider } from '../fields.ts'
import { pageFrom } from '../repository-url.ts'

/**
 * CircleCI. It gives only the commit's id.
 *
 * https://circleci.com/docs/reference/variables/#built-in-environment-variables
 */
export const CIRCLECI: Provider = {
  matches: (env) => isSet(env.CIRCLECI),
  read: (env) =>
    readFields(env, {
      ci: [ciName('CircleCI', 'CIRCLECI')],
      repository: [
        derived(
          env,
          ['CIRCLE_PROJECT_USERNAME', 'CIRCLE_PROJECT_REPONAME'],
          (owner, name) => `${owner}/${name}`,
        ),
      ],
      branch: ['CIRCLE_BRANCH', 'CIRCLE_TAG'],
      tag: ['CIRCLE_TAG'],
      commit: ['CIRCLE_SHA1'],
      committer: ['CIRCLE_USERNAME', 'CIRCLE_PR_USERNAME'],
      buildId: ['CIRCLE_BUILD_NUM'],
      projectId: ['CIRCLE_PROJECT_ID'],
      pullRequest: [
        'CIRCLE_PR_NUMBER',
        derived(env, ['CIRCLE_PULL_REQUEST'], (url) => /\/(\d+)$/.exec(url)?.[1]),
      ],
      pullRequestUrl: ['CIRCLE_PULL_REQUEST'],
      buildUrl: ['CIRCLE_BUILD_URL'],
      repositoryUrl: [pageFrom(env, 'CIRCLE_REPOSITORY_URL')],
      compareUrl: ['CIRCLE_COMPARE_URL'],
      job: ['CIRCLE_JOB'],
      leg: [legOf(env, 'CIRCLE_NODE_TOTAL', ['CIRCLE_JOB', 'CIRCLE_NODE_INDEX'])],
    }),
}
