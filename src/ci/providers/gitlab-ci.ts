import { GITLAB_CI_NAME } from '../repository-host.ts'
import { ciName, derived, isSet, legOf, readFields, type Provider } from '../fields.ts'

/**
 * GitLab CI/CD.
 *
 * https://docs.gitlab.com/ci/variables/predefined_variables/
 */
export const GITLAB_CI: Provider = {
  matches: (env) => isSet(env.GITLAB_CI),
  // Codeship's description is `git describe`, this one the message without its first line; and the message may be that of a
  // merge that GitLab created, see below.
  ownNames: ['CI_COMMIT_DESCRIPTION', 'CI_COMMIT_MESSAGE'],
  read: (env) => {
    // With merged results, and on a merge train, a merge that GitLab throws away is built. Its parent on the merge
    // request's side is the commit that people know.
    const isMadeUp = isSet(env.CI_MERGE_REQUEST_SOURCE_BRANCH_SHA)
    return readFields(env, {
      ci: [ciName(GITLAB_CI_NAME, 'GITLAB_CI')],
      repository: ['CI_PROJECT_PATH'],
      branch: [
        'CI_MERGE_REQUEST_SOURCE_BRANCH_NAME',
        'CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME',
        'CI_COMMIT_REF_NAME',
      ],
      tag: ['CI_COMMIT_TAG'],
      commit: [
        'CI_MERGE_REQUEST_SOURCE_BRANCH_SHA',
        'CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA',
        'CI_COMMIT_SHA',
      ],
      commitMessage: isMadeUp ? [] : ['CI_COMMIT_MESSAGE'],
      committer: [
        ...(isMadeUp ? [] : [derived(env, ['CI_COMMIT_AUTHOR'], authorName)]),
        'GITLAB_USER_NAME',
        'GITLAB_USER_LOGIN',
      ],
      buildId: ['CI_PIPELINE_ID'],
      projectId: ['CI_PROJECT_ID'],
      pullRequest: ['CI_MERGE_REQUEST_IID', 'CI_EXTERNAL_PULL_REQUEST_IID'],
      buildUrl: ['CI_PIPELINE_URL'],
      jobUrl: ['CI_JOB_URL'],
      repositoryUrl: ['CI_PROJECT_URL'],
      base: ['CI_COMMIT_BEFORE_SHA'],
      job: ['CI_JOB_NAME'],
      // `deploy 1/2` with `parallel: 2`, `deploy: [aws, eu]` with `parallel:matrix`
      leg: [legOf(env, 'CI_NODE_TOTAL', ['CI_JOB_NAME'])],
      environment: ['CI_ENVIRONMENT_NAME'],
    })
  },
}

/** `Jane Doe` of `Jane Doe <jane@example.com>`. */
function authorName(author: string): string {
  const start = author.endsWith('>') ? author.lastIndexOf('<') : -1
  return start === -1 ? author : author.slice(0, start)
}
