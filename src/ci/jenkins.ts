import { isSet, made, named, pageFrom, repositoryFrom } from './made.ts'
import type { Provider } from './provider.ts'
import { readFields } from './read-fields.ts'

/**
 * Jenkins, and CloudBees CI, which is Jenkins: its own variables, and those of the Git, multibranch, GitLab and GitHub
 * pull request plugins. `GIT_COMMITTER_NAME` is whom Jenkins commits as, not who committed.
 *
 * https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
 * https://plugins.jenkins.io/git/#plugin-content-environment-variables
 */
export const JENKINS: Provider = {
  matches: (env) => isSet(env.JENKINS_URL) && isSet(env.BUILD_NUMBER),
  read: (env) =>
    readFields(env, {
      ci: [named('Jenkins', 'JENKINS_URL')],
      repository: [repositoryFrom(env, 'GIT_URL'), repositoryFrom(env, 'GIT_URL_1')],
      branch: [
        'CHANGE_BRANCH',
        'ghprbSourceBranch',
        'gitlabSourceBranch',
        'BRANCH_NAME',
        'GIT_LOCAL_BRANCH',
        // The remote's name comes first, and is hardly ever another one.
        made(env, ['GIT_BRANCH'], (branch) => branch.replace(/^(?:refs\/remotes\/)?origin\//, '')),
      ],
      tag: ['TAG_NAME'],
      commit: ['ghprbActualCommit', 'GIT_COMMIT'],
      committer: ['CHANGE_AUTHOR_DISPLAY_NAME', 'CHANGE_AUTHOR', 'gitlabUserName', 'BUILD_USER'],
      buildId: ['BUILD_NUMBER'],
      pullRequest: ['CHANGE_ID', 'ghprbPullId', 'gitlabMergeRequestIid'],
      pullRequestUrl: ['CHANGE_URL', 'ghprbPullLink'],
      buildUrl: ['BUILD_URL'],
      repositoryUrl: [pageFrom(env, 'GIT_URL'), pageFrom(env, 'GIT_URL_1')],
      base: ['GIT_PREVIOUS_SUCCESSFUL_COMMIT', 'GIT_PREVIOUS_COMMIT'],
      // Within a multibranch job the branch's name is encoded: `shop/feature%2Fcheckout`.
      job: [made(env, ['JOB_NAME'], (name) => name.replaceAll('%2F', '/'))],
    }),
}
