import type envCi from 'env-ci'
import type { Build, Environment } from '../../core/build.ts'
import { derived, isSet, legOf, readFields, type FieldSources, type Source } from '../fields.ts'
import { pageFrom } from '../repository-url.ts'

/** A CI that `env-ci` reads, and the fields that it omits. */
interface Other {
  readonly matches: (env: Environment) => boolean
  readonly adds: (env: Environment) => FieldSources
}

const known = (variable: string, adds: Other['adds'] = () => ({})): Other => ({
  matches: (env) => isSet(env[variable]),
  adds,
})

/**
 * The CIs that are left to `env-ci`, by the variables that it recognizes them by. It is used only if it will find one of
 * them, and only for CIs whose variables are all that it reads: for others it runs Git and reads files.
 */
const OTHERS: readonly Other[] = [
  known('APPVEYOR', () => ({
    commit: ['APPVEYOR_PULL_REQUEST_HEAD_COMMIT'],
    commitMessage: ['APPVEYOR_REPO_COMMIT_MESSAGE'],
    committer: ['APPVEYOR_REPO_COMMIT_AUTHOR'],
    projectId: ['APPVEYOR_PROJECT_ID'],
  })),
  known('bamboo_agentId', (env) => ({
    repositoryUrl: [pageFrom(env, 'bamboo_planRepository_1_repositoryUrl')],
    job: ['bamboo_shortJobName'],
  })),
  known('BITRISE_IO', (env) => ({
    repository: [
      derived(
        env,
        ['BITRISEIO_GIT_REPOSITORY_OWNER', 'BITRISEIO_GIT_REPOSITORY_SLUG'],
        (owner, name) => `${owner}/${name}`,
      ),
    ],
    repositoryUrl: [pageFrom(env, 'GIT_REPOSITORY_URL')],
    commitMessage: ['BITRISE_GIT_MESSAGE'],
    job: ['BITRISE_TRIGGERED_WORKFLOW_TITLE'],
  })),
  known('BUDDY_WORKSPACE_ID', (env) => ({
    repositoryUrl: [pageFrom(env, 'BUDDY_SCM_URL')],
    commitMessage: ['BUDDY_EXECUTION_REVISION_MESSAGE'],
    committer: ['BUDDY_EXECUTION_REVISION_COMMITTER_NAME'],
    job: ['BUDDY_PIPELINE_NAME'],
  })),
  known('CIRRUS_CI', (env) => ({
    repositoryUrl: [pageFrom(env, 'CIRRUS_REPO_CLONE_URL')],
    commitMessage: ['CIRRUS_CHANGE_MESSAGE'],
    job: ['CIRRUS_TASK_NAME'],
  })),
  { matches: (env) => env.CF_PAGES === '1', adds: () => ({}) },
  known('CF_BUILD_ID', () => ({
    commitMessage: ['CF_COMMIT_MESSAGE'],
    committer: ['CF_COMMIT_AUTHOR'],
    commitUrl: ['CF_COMMIT_URL'],
    job: ['CF_STEP_NAME'],
  })),
  {
    matches: (env) => env.NETLIFY === 'true',
    adds: (env) => ({ repositoryUrl: [pageFrom(env, 'REPOSITORY_URL')], environment: ['CONTEXT'] }),
  },
  known('SCREWDRIVER', (env) => ({ repositoryUrl: [pageFrom(env, 'SCM_URL')], job: ['SD_JOB_NAME'] })),
  known('SCRUTINIZER'),
  // Semaphore Classic does not give the commit, so `env-ci` would run Git.
  known('SEMAPHORE_GIT_SHA', (env) => ({
    repositoryUrl: [pageFrom(env, 'SEMAPHORE_GIT_URL')],
    commit: ['SEMAPHORE_GIT_PR_SHA'],
    committer: ['SEMAPHORE_GIT_COMMITTER'],
    job: ['SEMAPHORE_JOB_NAME'],
    leg: [legOf(env, 'SEMAPHORE_JOB_COUNT', ['SEMAPHORE_JOB_NAME', 'SEMAPHORE_JOB_INDEX'])],
  })),
  known('TRAVIS', () => ({
    commit: ['TRAVIS_PULL_REQUEST_SHA'],
    commitMessage: ['TRAVIS_COMMIT_MESSAGE'],
    job: ['TRAVIS_JOB_NAME'],
  })),
  known('VELA', () => ({
    repositoryUrl: ['VELA_REPO_LINK'],
    commitMessage: ['VELA_BUILD_MESSAGE'],
    committer: ['VELA_BUILD_AUTHOR'],
    environment: ['VELA_DEPLOYMENT'],
  })),
  known('VERCEL', () => ({
    commitMessage: ['VERCEL_GIT_COMMIT_MESSAGE'],
    committer: ['VERCEL_GIT_COMMIT_AUTHOR_NAME', 'VERCEL_GIT_COMMIT_AUTHOR_LOGIN'],
    base: ['VERCEL_GIT_PREVIOUS_SHA'],
    environment: ['VERCEL_TARGET_ENV', 'VERCEL_ENV'],
  })),
]

/** Reads the build of a CI that has no reader of its own, with `env-ci`, which is loaded only here. */
export async function readWithEnvCi(env: Environment): Promise<Build> {
  const other = OTHERS.find(({ matches }) => matches(env))
  if (other === undefined) return { origins: {} }
  const { default: read } = await import('env-ci')
  const found = readSafely(read, env)
  const from = (name: Exclude<keyof typeof found, 'name'>): Source => ({
    value: wholeOf(found[name]?.toString()),
    origin: `the variables of ${found.name}`,
  })
  const adds = other.adds(env)
  return readFields(env, {
    ...adds,
    ci: [{ value: found.name, origin: 'its variables' }],
    repository: [...(adds.repository ?? []), from('slug')],
    branch: [from('prBranch'), from('tag'), from('branch')],
    tag: [from('tag')],
    commit: [...(adds.commit ?? []), from('commit')],
    buildId: [from('build')],
    pullRequest: [from('pr')],
    buildUrl: [from('buildUrl')],
    jobUrl: [from('jobUrl')],
    job: [...(adds.job ?? []), from('job')],
  })
}

/** `env-ci` throws if a variable that it requires is missing. */
function readSafely(read: typeof envCi, env: Environment): ReturnType<typeof envCi> {
  try {
    return read({ env })
  } catch {
    return {}
  }
}

/** A value that `env-ci` composed, unless a part of it was missing: `acme/undefined`. */
function wholeOf(value: string | undefined): string | undefined {
  return value?.split('/').includes('undefined') === true ? undefined : value
}
