import { ciName, isSet, readFields, type Provider } from '../fields.ts'

/**
 * Drone. On a push its `DRONE_COMMIT_LINK` is the page that compares, so the commit's link is made from the repository's.
 *
 * https://docs.drone.io/pipeline/environment/reference/
 */
export const DRONE: Provider = {
  matches: (env) => isSet(env.DRONE),
  ownNames: ['CI_REPO_NAME', 'CI_BUILD_NUMBER', 'CI_BUILD_URL'],
  read: (env) =>
    readFields(env, {
      ci: [ciName('Drone', 'DRONE')],
      repository: ['DRONE_REPO'],
      branch: ['DRONE_TAG', 'DRONE_SOURCE_BRANCH', 'DRONE_BRANCH'],
      tag: ['DRONE_TAG'],
      commit: ['DRONE_COMMIT_SHA', 'DRONE_COMMIT'],
      commitMessage: ['DRONE_COMMIT_MESSAGE'],
      committer: ['DRONE_COMMIT_AUTHOR_NAME', 'DRONE_COMMIT_AUTHOR', 'DRONE_COMMIT_AUTHOR_EMAIL'],
      buildId: ['DRONE_BUILD_NUMBER'],
      pullRequest: ['DRONE_PULL_REQUEST'],
      buildUrl: ['DRONE_BUILD_LINK'],
      repositoryUrl: ['DRONE_REPO_LINK'],
      base: ['DRONE_COMMIT_BEFORE'],
      job: ['DRONE_STEP_NAME', 'DRONE_STAGE_NAME'],
      environment: ['DRONE_DEPLOY_TO'],
    }),
}
