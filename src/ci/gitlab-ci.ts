import { GITLAB_CI_NAME } from './forge.ts'
import { isSet, made, named } from './made.ts'
import type { Provider } from './provider.ts'
import { readFields } from './read-fields.ts'

/**
 * GitLab CI/CD.
 *
 * https://docs.gitlab.com/ci/variables/predefined_variables/
 */
export const GITLAB_CI: Provider = {
  matches: (env) => isSet(env.GITLAB_CI),
  // Codeship's description is `git describe`, this one the message without its first line.
  ownNames: ['CI_COMMIT_DESCRIPTION'],
  read: (env) =>
    readFields(env, {
      ci: [named(GITLAB_CI_NAME, 'GITLAB_CI')],
      repository: ['CI_PROJECT_PATH'],
      branch: ['CI_MERGE_REQUEST_SOURCE_BRANCH_NAME', 'CI_COMMIT_REF_NAME'],
      tag: ['CI_COMMIT_TAG'],
      commit: ['CI_COMMIT_SHA'],
      commitMessage: ['CI_COMMIT_MESSAGE'],
      committer: [
        made(env, ['CI_COMMIT_AUTHOR'], (author) => author.replace(/ *<[^>]*>$/, '')),
        'GITLAB_USER_NAME',
        'GITLAB_USER_LOGIN',
      ],
      buildId: ['CI_PIPELINE_ID'],
      projectId: ['CI_PROJECT_ID'],
      pullRequest: ['CI_MERGE_REQUEST_IID'],
      buildUrl: ['CI_PIPELINE_URL'],
      jobUrl: ['CI_JOB_URL'],
      repositoryUrl: ['CI_PROJECT_URL'],
      base: ['CI_COMMIT_BEFORE_SHA'],
      job: ['CI_JOB_NAME'],
      environment: ['CI_ENVIRONMENT_NAME'],
    }),
}
