import type { Environment } from '../../core/build.ts'
import { ciName, derived, isSet, readFields, type Provider, type Source } from '../fields.ts'
import { pageFrom, repositoryFrom } from '../repository-url.ts'

/**
 * Jenkins, and CloudBees CI, which is Jenkins: its own variables, and those of the Git, multibranch, GitLab and GitHub pull
 * request plugins. `GIT_COMMITTER_NAME` is the name that Jenkins commits under, not the committer.
 *
 * https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
 * https://plugins.jenkins.io/git/#plugin-content-environment-variables
 */
export const JENKINS: Provider = {
  matches: (env) => isSet(env.JENKINS_URL) && isSet(env.BUILD_NUMBER),
  read: (env) =>
    readFields(env, {
      ci: [ciName('Jenkins', 'JENKINS_URL')],
      repository: [repositoryFrom(env, 'GIT_URL'), repositoryFrom(env, 'GIT_URL_1'), jobWithoutBranch(env)],
      branch: [
        'CHANGE_BRANCH',
        'ghprbSourceBranch',
        'gitlabSourceBranch',
        'BRANCH_NAME',
        'GIT_LOCAL_BRANCH',
        // The remote's name comes first, and is hardly ever another one.
        derived(env, ['GIT_BRANCH'], (branch) => branch.replace(/^(?:refs\/remotes\/)?origin\//, '')),
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
      job: [derived(env, ['JOB_NAME'], (name) => name.replaceAll('%2F', '/'))],
    }),
}

/**
 * The job's name replaces the repository's if nothing is checked out with Git, or not yet. The last part of a multibranch
 * job's is the branch: `acme/shop` of `acme/shop/feature%2Fcheckout`.
 */
function jobWithoutBranch(env: Environment): Source {
  return derived(env, ['JOB_NAME'], (name) => {
    const slash = name.lastIndexOf('/')
    const last = name.slice(slash + 1).replaceAll('%2F', '/')
    return slash > 0 && last === env.BRANCH_NAME?.trim() ? name.slice(0, slash) : name.replaceAll('%2F', '/')
  })
}
