import type { Environment } from '../../core/build.ts'
import { githubEventSources, openEventFile, type Lookup } from '../event-file.ts'
import { ciName, derived, isSet, readFields, type Provider, type Source } from '../fields.ts'

/**
 * GitHub Actions, and Gitea's and Forgejo's, which set the same variables. The commit's message and author are only in the
 * event file.
 *
 * https://docs.github.com/en/actions/reference/workflows-and-actions/variables
 */
export const GITHUB_ACTIONS: Provider = {
  matches: (env) => isSet(env.GITHUB_ACTIONS),
  read: (env, readFile) => {
    const lookup = openEventFile(env.GITHUB_EVENT_PATH, readFile)
    const event = githubEventSources(lookup, env.GITHUB_SHA, 'GITHUB_EVENT_PATH')
    const pullRequest = pullRequestSources(lookup)
    return readFields(env, {
      ...event,
      ci: [ciName(nameOf(env), 'GITHUB_ACTIONS')],
      repository: ['GITHUB_REPOSITORY'],
      // On a pull request, the ref is a merge that GitHub created: `12/merge`.
      branch: [...pullRequest.branch, 'GITHUB_HEAD_REF', 'GITHUB_REF_NAME', 'GITHUB_REF'],
      tag: [
        derived(env, ['GITHUB_REF_TYPE', 'GITHUB_REF_NAME'], (type, name) =>
          type === 'tag' ? name : undefined,
        ),
      ],
      commit: [...pullRequest.commit, 'GITHUB_SHA'],
      committer: [...(event.committer ?? []), 'GITHUB_ACTOR'],
      buildId: ['GITHUB_RUN_ID'],
      buildUrl: [runUrl(env)],
      repositoryUrl: [
        derived(env, ['GITHUB_SERVER_URL', 'GITHUB_REPOSITORY'], (server, name) => `${server}/${name}`),
      ],
      job: ['GITHUB_JOB'],
    })
  },
}

/**
 * On a pull request, GITHUB_SHA is a merge that GitHub created (or, on `pull_request_target`, a commit of the base): the
 * commit that people know is the pull request's own. Once it is merged, GITHUB_SHA is the real merge, on the base.
 */
function pullRequestSources(event: Lookup): {
  readonly branch: readonly Source[]
  readonly commit: readonly Source[]
} {
  const from = (...path: readonly string[]): Source => ({
    value: event(...path),
    origin: `${path.join('.')} in GITHUB_EVENT_PATH`,
  })
  const isMerged = event('pull_request', 'merged_at') !== undefined
  return {
    branch: isMerged ? [from('pull_request', 'base', 'ref')] : [],
    commit: isMerged ? [] : [from('pull_request', 'head', 'sha')],
  }
}

function nameOf(env: Environment): string {
  if (isSet(env.FORGEJO_ACTIONS)) return 'Forgejo Actions'
  return isSet(env.GITEA_ACTIONS) ? 'Gitea Actions' : 'GitHub Actions'
}

/** The page of this attempt. The run's own page shows the latest one, which may have succeeded. */
function runUrl(env: Environment): Source {
  // The addresses of Gitea and Forgejo have the run's number within its repository.
  const run = nameOf(env) === 'GitHub Actions' ? 'GITHUB_RUN_ID' : 'GITHUB_RUN_NUMBER'
  const attempt = env.GITHUB_RUN_ATTEMPT?.trim() ?? ''
  const isRerun = /^\d+$/.test(attempt) && attempt !== '1' && run === 'GITHUB_RUN_ID'
  return derived(
    env,
    ['GITHUB_SERVER_URL', 'GITHUB_REPOSITORY', run],
    (server, name, id) => `${server}/${name}/actions/runs/${id}${isRerun ? `/attempts/${attempt}` : ''}`,
  )
}
