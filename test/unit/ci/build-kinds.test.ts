import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectBuild } from '../../../src/ci/detect-build.ts'
import { withRepositoryUrl } from '../../../src/ci/repository-url.ts'
import { identify } from '../../../src/core/identity.ts'

/*
 * How a build came about, in the variables that tell it. A deployment of one place has one dedup key however it was
 * started, or the next success would not resolve the last failure; and the commit is the one that people know.
 */

type Env = Readonly<Record<string, string>>
interface Kind {
  readonly env: Env
  readonly key: string
  readonly commit?: string
  /** Body of the webhook, for a CI that keeps it in a file. */
  readonly event?: unknown
}

const OWN = '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9'
const MADE_UP = '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d'
const MAIN = 'deploy/acme/shop/main'
/** A tag, or a pull request with only a number: a later build never deploys there again. */
const NO_PLACE = 'deploy/acme/shop'

const github = (env: Env): Env => ({
  GITHUB_ACTIONS: 'true',
  GITHUB_EVENT_PATH: '/event.json',
  GITHUB_REPOSITORY: 'acme/shop',
  GITHUB_SHA: OWN,
  ...env,
})
const gitlab = (env: Env): Env => ({
  GITLAB_CI: 'true',
  CI_PROJECT_PATH: 'acme/shop',
  CI_COMMIT_SHA: OWN,
  CI_COMMIT_REF_NAME: 'main',
  CI_JOB_NAME: 'deploy',
  CI_NODE_TOTAL: '1',
  ...env,
})
const circle = (env: Env): Env => ({
  CIRCLECI: 'true',
  CIRCLE_PROJECT_USERNAME: 'acme',
  CIRCLE_PROJECT_REPONAME: 'shop',
  CIRCLE_SHA1: OWN,
  CIRCLE_JOB: 'deploy',
  CIRCLE_NODE_TOTAL: '1',
  CIRCLE_NODE_INDEX: '0',
  ...env,
})
const buildkite = (env: Env): Env => ({
  BUILDKITE: 'true',
  BUILDKITE_REPO: 'git@github.com:acme/shop.git',
  BUILDKITE_COMMIT: OWN,
  BUILDKITE_BRANCH: 'main',
  BUILDKITE_LABEL: 'Deploy',
  ...env,
})
const jenkins = (env: Env): Env => ({
  JENKINS_URL: 'https://jenkins.example.com/',
  BUILD_NUMBER: '42',
  JOB_NAME: 'deploy-shop',
  GIT_URL: 'https://github.com/acme/shop.git',
  GIT_COMMIT: OWN,
  ...env,
})
const azure = (env: Env): Env => ({
  TF_BUILD: 'True',
  BUILD_REPOSITORY_NAME: 'acme/shop',
  BUILD_SOURCEVERSION: OWN,
  BUILD_SOURCEBRANCH: 'refs/heads/main',
  SYSTEM_JOBDISPLAYNAME: 'Deploy',
  SYSTEM_TOTALJOBSINPHASE: '1',
  SYSTEM_JOBPOSITIONINPHASE: '1',
  ...env,
})
const bitbucket = (env: Env): Env => ({
  BITBUCKET_BUILD_NUMBER: '42',
  BITBUCKET_REPO_FULL_NAME: 'acme/shop',
  BITBUCKET_COMMIT: OWN,
  ...env,
})
const drone = (env: Env): Env => ({
  DRONE: 'true',
  DRONE_REPO: 'acme/shop',
  DRONE_COMMIT_SHA: OWN,
  DRONE_BRANCH: 'main',
  ...env,
})
const woodpecker = (env: Env): Env => ({
  CI: 'woodpecker',
  CI_REPO: 'acme/shop',
  CI_COMMIT_SHA: OWN,
  CI_COMMIT_BRANCH: 'main',
  ...env,
})
const codebuild = (env: Env): Env => ({
  CODEBUILD_BUILD_ID: 'shop-deploy:b1e6661e-e4f2-4156-9ab9-82a19e0f1a2b',
  CODEBUILD_SOURCE_REPO_URL: 'https://github.com/acme/shop.git',
  CODEBUILD_RESOLVED_SOURCE_VERSION: OWN,
  ...env,
})
const travis = (env: Env): Env => ({
  TRAVIS: 'true',
  TRAVIS_REPO_SLUG: 'acme/shop',
  TRAVIS_COMMIT: OWN,
  TRAVIS_BRANCH: 'main',
  TRAVIS_PULL_REQUEST: 'false',
  ...env,
})
const semaphore = (env: Env): Env => ({
  SEMAPHORE: 'true',
  SEMAPHORE_GIT_REPO_SLUG: 'acme/shop',
  SEMAPHORE_GIT_SHA: OWN,
  SEMAPHORE_GIT_BRANCH: 'main',
  SEMAPHORE_JOB_NAME: 'Deploy',
  ...env,
})
const codeship = (env: Env): Env => ({
  CI_NAME: 'codeship',
  CI_REPO_NAME: 'acme/shop',
  CI_COMMIT_ID: OWN,
  CI_BRANCH: 'main',
  ...env,
})

const KINDS: Readonly<Record<string, Kind>> = {
  'GitHub, push': {
    env: github({ GITHUB_REF: 'refs/heads/main', GITHUB_REF_NAME: 'main', GITHUB_EVENT_NAME: 'push' }),
    key: MAIN,
  },
  'GitHub, started by hand': {
    env: github({ GITHUB_REF_NAME: 'main', GITHUB_EVENT_NAME: 'workflow_dispatch' }),
    key: MAIN,
  },
  'GitHub, scheduled': { env: github({ GITHUB_REF_NAME: 'main', GITHUB_EVENT_NAME: 'schedule' }), key: MAIN },
  'GitHub, run again': { env: github({ GITHUB_REF_NAME: 'main', GITHUB_RUN_ATTEMPT: '2' }), key: MAIN },
  'GitHub, tag': {
    env: github({ GITHUB_REF: 'refs/tags/v1', GITHUB_REF_NAME: 'v1', GITHUB_REF_TYPE: 'tag' }),
    key: NO_PLACE,
  },
  'GitHub, deployment of a commit, without a ref': {
    env: github({ GITHUB_REF: '', GITHUB_REF_NAME: '', GITHUB_EVENT_NAME: 'deployment' }),
    key: 'deploy/acme/shop/production',
    event: { deployment: { environment: 'production' } },
  },
  'GitHub, pull request': {
    env: github({ GITHUB_SHA: MADE_UP, GITHUB_HEAD_REF: 'checkout', GITHUB_REF_NAME: '12/merge' }),
    event: { pull_request: { number: 12, merged_at: null, head: { sha: OWN } } },
    key: 'deploy/acme/shop/checkout',
  },
  'GitHub, pull request from a fork, with the rights of the base': {
    env: github({ GITHUB_SHA: MADE_UP, GITHUB_HEAD_REF: 'patch-1', GITHUB_REF_NAME: 'main' }),
    event: { pull_request: { number: 12, head: { sha: OWN }, base: { ref: 'main' } } },
    key: 'deploy/acme/shop/patch-1',
  },
  'GitHub, pull request that was merged': {
    env: github({ GITHUB_SHA: OWN, GITHUB_HEAD_REF: 'checkout', GITHUB_REF_NAME: 'main' }),
    event: {
      pull_request: {
        number: 12,
        merged_at: '2026-03-01T12:00:00Z',
        head: { sha: MADE_UP },
        base: { ref: 'main' },
      },
    },
    key: MAIN,
  },
  'GitHub, pull request whose event cannot be read': {
    env: github({ GITHUB_HEAD_REF: '', GITHUB_REF_NAME: '12/merge', GITHUB_REF: 'refs/pull/12/merge' }),
    key: NO_PLACE,
  },
  'GitHub, merge queue': {
    env: github({
      GITHUB_REF_NAME: `gh-readonly-queue/main/pr-12-${MADE_UP}`,
      GITHUB_EVENT_NAME: 'merge_group',
    }),
    key: MAIN,
  },
  'GitLab, push': { env: gitlab({ CI_PIPELINE_SOURCE: 'push' }), key: MAIN },
  'GitLab, started by hand': { env: gitlab({ CI_PIPELINE_SOURCE: 'web' }), key: MAIN },
  'GitLab, scheduled': { env: gitlab({ CI_PIPELINE_SOURCE: 'schedule' }), key: MAIN },
  'GitLab, child pipeline': { env: gitlab({ CI_PIPELINE_SOURCE: 'parent_pipeline' }), key: MAIN },
  'GitLab, tag': { env: gitlab({ CI_COMMIT_TAG: 'v1', CI_COMMIT_REF_NAME: 'v1' }), key: NO_PLACE },
  'GitLab, merge request': {
    env: gitlab({ CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'checkout', CI_COMMIT_REF_NAME: 'checkout' }),
    key: 'deploy/acme/shop/checkout',
  },
  'GitLab, merged results': {
    env: gitlab({
      CI_COMMIT_SHA: MADE_UP,
      CI_COMMIT_REF_NAME: 'refs/merge-requests/12/merge',
      CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'checkout',
      CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: OWN,
      CI_COMMIT_MESSAGE: `Merge ${OWN} into ${MADE_UP}`,
    }),
    key: 'deploy/acme/shop/checkout',
  },
  'GitLab, merge train': {
    env: gitlab({
      CI_COMMIT_SHA: MADE_UP,
      CI_COMMIT_REF_NAME: 'refs/merge-requests/12/train',
      CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'checkout',
      CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: OWN,
    }),
    key: 'deploy/acme/shop/checkout',
  },
  'GitLab, child of a merge request pipeline': {
    env: gitlab({ CI_COMMIT_REF_NAME: 'refs/merge-requests/12/head', CI_PIPELINE_SOURCE: 'parent_pipeline' }),
    key: NO_PLACE,
  },
  'GitLab, pull request on GitHub': {
    env: gitlab({
      CI_COMMIT_REF_NAME: 'main',
      CI_EXTERNAL_PULL_REQUEST_IID: '12',
      CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME: 'checkout',
      CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA: OWN,
    }),
    key: 'deploy/acme/shop/checkout',
  },
  'GitLab, first of two jobs': {
    env: gitlab({ CI_NODE_TOTAL: '2', CI_NODE_INDEX: '1', CI_JOB_NAME: 'deploy 1/2' }),
    key: `${MAIN}/deploy 1/2`,
  },
  'GitLab, matrix': {
    env: gitlab({ CI_NODE_TOTAL: '4', CI_NODE_INDEX: '3', CI_JOB_NAME: 'deploy: [aws, eu]' }),
    key: `${MAIN}/deploy: [aws, eu]`,
  },
  'CircleCI, push': { env: circle({ CIRCLE_BRANCH: 'main' }), key: MAIN },
  'CircleCI, tag': { env: circle({ CIRCLE_TAG: 'v1' }), key: NO_PLACE },
  'CircleCI, fork': { env: circle({ CIRCLE_BRANCH: 'pull/12' }), key: NO_PLACE },
  'CircleCI, second of two containers': {
    env: circle({ CIRCLE_BRANCH: 'main', CIRCLE_NODE_TOTAL: '2', CIRCLE_NODE_INDEX: '1' }),
    key: `${MAIN}/deploy 1`,
  },
  'CircleCI, first of two containers': {
    env: circle({ CIRCLE_BRANCH: 'main', CIRCLE_NODE_TOTAL: '2', CIRCLE_NODE_INDEX: '0' }),
    key: `${MAIN}/deploy 0`,
  },
  'Buildkite, push': { env: buildkite({ BUILDKITE_SOURCE: 'webhook' }), key: MAIN },
  'Buildkite, started by hand': { env: buildkite({ BUILDKITE_SOURCE: 'ui' }), key: MAIN },
  'Buildkite, scheduled': { env: buildkite({ BUILDKITE_SOURCE: 'schedule' }), key: MAIN },
  'Buildkite, run again': { env: buildkite({ BUILDKITE_RETRY_COUNT: '1' }), key: MAIN },
  'Buildkite, tag': { env: buildkite({ BUILDKITE_TAG: 'v1', BUILDKITE_BRANCH: 'v1' }), key: NO_PLACE },
  'Buildkite, merge queue': {
    env: buildkite({ BUILDKITE_BRANCH: `gh-readonly-queue/main/pr-12-${MADE_UP}` }),
    key: MAIN,
  },
  'Buildkite, merge queue that names its base': {
    env: buildkite({
      BUILDKITE_BRANCH: 'mergify/merge-queue/abc',
      BUILDKITE_MERGE_QUEUE_BASE_BRANCH: 'main',
    }),
    key: MAIN,
  },
  'Buildkite, first of two jobs': {
    env: buildkite({
      BUILDKITE_PARALLEL_JOB: '0',
      BUILDKITE_PARALLEL_JOB_COUNT: '2',
      BUILDKITE_STEP_KEY: 'deploy',
    }),
    key: `${MAIN}/deploy 0`,
  },
  'Jenkins, started by a webhook': { env: jenkins({ GIT_BRANCH: 'origin/main' }), key: MAIN },
  'Jenkins, started by hand': { env: jenkins({ GIT_BRANCH: 'main' }), key: MAIN },
  'Jenkins, by refspec': { env: jenkins({ GIT_BRANCH: 'refs/remotes/origin/main' }), key: MAIN },
  'Jenkins, multibranch': { env: jenkins({ BRANCH_NAME: 'main', GIT_BRANCH: 'main' }), key: MAIN },
  'Jenkins, detached': { env: jenkins({ GIT_BRANCH: 'detached' }), key: NO_PLACE },
  'Jenkins, tag': { env: jenkins({ TAG_NAME: 'v1', BRANCH_NAME: 'v1' }), key: NO_PLACE },
  'Jenkins, tag by refspec': { env: jenkins({ GIT_BRANCH: 'refs/tags/v1' }), key: NO_PLACE },
  'Jenkins, tag by branch specifier': { env: jenkins({ GIT_BRANCH: 'tags/v1' }), key: NO_PLACE },
  'Jenkins, pull request': {
    env: jenkins({ CHANGE_ID: '12', CHANGE_BRANCH: 'checkout', BRANCH_NAME: 'PR-12' }),
    key: 'deploy/acme/shop/checkout',
  },
  'Jenkins, pull request without its branch': { env: jenkins({ BRANCH_NAME: 'PR-12' }), key: NO_PLACE },
  'Jenkins, pull request builder': {
    env: jenkins({ GIT_COMMIT: MADE_UP, ghprbActualCommit: OWN, GIT_BRANCH: 'origin/pr/12/merge' }),
    key: NO_PLACE,
  },
  'Jenkins, without Git': {
    env: jenkins({ GIT_URL: '', JOB_NAME: 'acme/deploy-shop' }),
    key: 'deploy/acme/deploy-shop',
  },
  'Jenkins, multibranch, before the checkout': {
    env: jenkins({ GIT_URL: '', JOB_NAME: 'acme/shop/feature%2Fcheckout', BRANCH_NAME: 'feature/checkout' }),
    key: 'deploy/acme/shop/feature/checkout',
  },
  'Azure, push': { env: azure({ BUILD_REASON: 'IndividualCI' }), key: MAIN },
  'Azure, started by hand': { env: azure({ BUILD_REASON: 'Manual' }), key: MAIN },
  'Azure, scheduled': { env: azure({ BUILD_REASON: 'Schedule' }), key: MAIN },
  'Azure, run again': { env: azure({ SYSTEM_JOBATTEMPT: '2' }), key: MAIN },
  'Azure, tag': { env: azure({ BUILD_SOURCEBRANCH: 'refs/tags/v1' }), key: NO_PLACE },
  'Azure, pull request': {
    env: azure({
      BUILD_SOURCEBRANCH: 'refs/pull/12/merge',
      BUILD_SOURCEVERSION: MADE_UP,
      SYSTEM_PULLREQUEST_SOURCEBRANCH: 'refs/heads/checkout',
      SYSTEM_PULLREQUEST_SOURCECOMMITID: OWN,
    }),
    key: 'deploy/acme/shop/checkout',
  },
  'Azure, pull request without its branch': {
    env: azure({ BUILD_SOURCEBRANCH: 'refs/pull/12/merge' }),
    key: NO_PLACE,
  },
  'Azure, merge queue': {
    env: azure({ BUILD_SOURCEBRANCH: `refs/heads/gh-readonly-queue/main/pr-12-${MADE_UP}` }),
    key: MAIN,
  },
  'Azure, matrix': {
    env: azure({
      SYSTEM_TOTALJOBSINPHASE: '2',
      SYSTEM_JOBPOSITIONINPHASE: '2',
      SYSTEM_JOBDISPLAYNAME: 'Deploy eu',
    }),
    key: `${MAIN}/Deploy eu 2`,
  },
  'Bitbucket, push': { env: bitbucket({ BITBUCKET_BRANCH: 'main' }), key: MAIN },
  'Bitbucket, tag': { env: bitbucket({ BITBUCKET_TAG: 'v1' }), key: NO_PLACE },
  'Bitbucket, pull request': {
    env: bitbucket({ BITBUCKET_BRANCH: 'checkout', BITBUCKET_PR_ID: '12' }),
    key: 'deploy/acme/shop/checkout',
  },
  'Bitbucket, deployment': {
    env: bitbucket({ BITBUCKET_BRANCH: 'main', BITBUCKET_DEPLOYMENT_ENVIRONMENT: 'production' }),
    key: 'deploy/acme/shop/production',
  },
  'Bitbucket, one of two parallel steps': {
    env: bitbucket({
      BITBUCKET_BRANCH: 'main',
      BITBUCKET_PARALLEL_STEP: '0',
      BITBUCKET_PARALLEL_STEP_COUNT: '2',
    }),
    key: `${MAIN}/step 0`,
  },
  'Drone, push': { env: drone({ DRONE_BUILD_EVENT: 'push' }), key: MAIN },
  'Drone, scheduled': { env: drone({ DRONE_BUILD_EVENT: 'cron' }), key: MAIN },
  'Drone, tag': { env: drone({ DRONE_TAG: 'v1' }), key: NO_PLACE },
  'Drone, pull request': {
    env: drone({ DRONE_PULL_REQUEST: '12', DRONE_SOURCE_BRANCH: 'checkout' }),
    key: 'deploy/acme/shop/checkout',
  },
  'Drone, promotion': { env: drone({ DRONE_DEPLOY_TO: 'production' }), key: 'deploy/acme/shop/production' },
  'Woodpecker, push': { env: woodpecker({}), key: MAIN },
  'Woodpecker, started by hand': { env: woodpecker({ CI_PIPELINE_EVENT: 'manual' }), key: MAIN },
  'Woodpecker, tag': { env: woodpecker({ CI_COMMIT_TAG: 'v1', CI_COMMIT_BRANCH: '' }), key: NO_PLACE },
  'Woodpecker, pull request': {
    env: woodpecker({ CI_COMMIT_PULL_REQUEST: '12', CI_COMMIT_SOURCE_BRANCH: 'checkout' }),
    key: 'deploy/acme/shop/checkout',
  },
  'CodeBuild, started by a webhook': {
    env: codebuild({
      CODEBUILD_WEBHOOK_TRIGGER: 'branch/main',
      CODEBUILD_WEBHOOK_HEAD_REF: 'refs/heads/main',
      CODEBUILD_SOURCE_VERSION: OWN,
    }),
    key: MAIN,
  },
  'CodeBuild, started by hand': { env: codebuild({ CODEBUILD_SOURCE_VERSION: 'main' }), key: MAIN },
  'CodeBuild, started by hand on a ref and a commit': {
    env: codebuild({ CODEBUILD_SOURCE_VERSION: `refs/heads/main^{${OWN}}` }),
    key: MAIN,
  },
  'CodeBuild, tag': {
    env: codebuild({ CODEBUILD_WEBHOOK_TRIGGER: 'tag/v1', CODEBUILD_WEBHOOK_HEAD_REF: 'refs/tags/v1' }),
    key: NO_PLACE,
  },
  'CodeBuild, pull request': {
    env: codebuild({
      CODEBUILD_WEBHOOK_TRIGGER: 'pr/12',
      CODEBUILD_WEBHOOK_HEAD_REF: 'refs/heads/checkout',
      CODEBUILD_SOURCE_VERSION: 'pr/12',
    }),
    key: 'deploy/acme/shop/checkout',
  },
  'CodeBuild, pull request started by hand': {
    env: codebuild({ CODEBUILD_SOURCE_VERSION: 'pr/12' }),
    key: NO_PLACE,
  },
  'CodeBuild, in CodePipeline': {
    env: codebuild({
      CODEBUILD_SOURCE_REPO_URL: '',
      CODEBUILD_INITIATOR: 'codepipeline/shop',
      CODEBUILD_SOURCE_VERSION: 'arn:aws:s3:::codepipeline-eu-west-1/shop/SourceArti/AbC.zip',
    }),
    key: 'deploy/shop-deploy',
  },
  TeamCity: {
    env: { TEAMCITY_VERSION: '2025.11', TEAMCITY_PROJECT_NAME: 'Shop', TEAMCITY_BUILDCONF_NAME: 'Deploy' },
    key: 'deploy/Shop/Deploy',
  },
  'Travis, push': { env: travis({}), key: MAIN },
  'Travis, tag': { env: travis({ TRAVIS_TAG: 'v1', TRAVIS_BRANCH: 'v1' }), key: NO_PLACE },
  'Travis, pull request': {
    env: travis({
      TRAVIS_COMMIT: MADE_UP,
      TRAVIS_PULL_REQUEST: '12',
      TRAVIS_PULL_REQUEST_BRANCH: 'checkout',
      TRAVIS_PULL_REQUEST_SHA: OWN,
    }),
    key: 'deploy/acme/shop/checkout',
  },
  'Semaphore, push': { env: semaphore({}), key: MAIN },
  'Semaphore, one of two jobs': {
    env: semaphore({ SEMAPHORE_JOB_COUNT: '2', SEMAPHORE_JOB_INDEX: '2' }),
    key: `${MAIN}/Deploy 2`,
  },
  'Codeship, push': { env: codeship({}), key: MAIN },
  'Codeship, a ref exported by a pipeline that was moved': {
    env: codeship({ CI_BRANCH: 'refs/heads/main' }),
    key: MAIN,
  },
  'Codeship, a tag exported by a pipeline that was moved': {
    env: codeship({ CI_BRANCH: 'refs/tags/v1' }),
    key: NO_PLACE,
  },
  'GitHub, with a ref exported under the name of Codeship': {
    env: github({
      GITHUB_HEAD_REF: 'checkout',
      GITHUB_REF_NAME: '12/merge',
      CI_BRANCH: 'refs/pull/12/merge',
    }),
    key: 'deploy/acme/shop/checkout',
  },
}

for (const [name, { env, key, commit = OWN, event }] of Object.entries(KINDS)) {
  test(`${name}: the alert is ${key}`, async () => {
    const build = withRepositoryUrl(await detectBuild(env, () => JSON.stringify(event ?? {})), undefined)
    const { dedupKey } = identify({}, build, 'host')
    assert.equal(dedupKey?.value, key)
    if (!name.startsWith('TeamCity')) assert.equal(build.commit, commit)
  })
}

test('a merge commit that GitLab throws away is not shown as the commit', async () => {
  const { env } = KINDS['GitLab, merged results'] ?? assert.fail()
  const { commitMessage } = await detectBuild(
    { ...env, CI_COMMIT_AUTHOR: 'GitLab <a@example.com>' },
    () => '',
  )
  assert.equal(commitMessage, undefined)
})
