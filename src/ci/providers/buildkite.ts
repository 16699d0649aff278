import { ciName, derived, isSet, legOf, readFields, type Provider } from '../fields.ts'
import { pageFrom, repositoryFrom } from '../repository-url.ts'

/**
 * Buildkite.
 *
 * https://buildkite.com/docs/pipelines/configure/environment-variables
 */
export const BUILDKITE: Provider = {
  matches: (env) => isSet(env.BUILDKITE),
  read: (env) =>
    readFields(env, {
      ci: [ciName('Buildkite', 'BUILDKITE')],
      repository: [
        repositoryFrom(env, 'BUILDKITE_REPO'),
        derived(
          env,
          ['BUILDKITE_ORGANIZATION_SLUG', 'BUILDKITE_PIPELINE_SLUG'],
          (owner, name) => `${owner}/${name}`,
        ),
      ],
      branch: ['BUILDKITE_TAG', 'BUILDKITE_MERGE_QUEUE_BASE_BRANCH', 'BUILDKITE_BRANCH'],
      tag: ['BUILDKITE_TAG'],
      // `HEAD` until an agent has resolved it.
      commit: [derived(env, ['BUILDKITE_COMMIT'], (commit) => (commit === 'HEAD' ? undefined : commit))],
      commitMessage: ['BUILDKITE_MESSAGE'],
      committer: ['BUILDKITE_BUILD_AUTHOR', 'BUILDKITE_BUILD_CREATOR', 'BUILDKITE_BUILD_AUTHOR_EMAIL'],
      buildId: ['BUILDKITE_BUILD_NUMBER'],
      projectId: ['BUILDKITE_PIPELINE_ID'],
      pullRequest: ['BUILDKITE_PULL_REQUEST'],
      buildUrl: ['BUILDKITE_BUILD_URL'],
      jobUrl: [derived(env, ['BUILDKITE_BUILD_URL', 'BUILDKITE_JOB_ID'], (build, job) => `${build}#${job}`)],
      repositoryUrl: [pageFrom(env, 'BUILDKITE_REPO')],
      job: ['BUILDKITE_LABEL', 'BUILDKITE_STEP_KEY'],
      leg: [
        legOf(env, 'BUILDKITE_PARALLEL_JOB_COUNT', [
          isSet(env.BUILDKITE_STEP_KEY) ? 'BUILDKITE_STEP_KEY' : 'BUILDKITE_LABEL',
          'BUILDKITE_PARALLEL_JOB',
        ]),
      ],
    }),
}
