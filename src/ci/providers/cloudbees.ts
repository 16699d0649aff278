import { githubEventSources, openEventFile } from '../event-file.ts'
import { ciName, isSet, readFields, type Provider, type Source } from '../fields.ts'
import { pageFrom, repositoryPage } from '../repository-url.ts'

/**
 * CloudBees Unify, to which Codeship's users were pointed. It describes the build in a file, whose `raw` is the body of
 * the code host's webhook. The `CLOUDBEES_SCM_` variables are for steps that pass the `cloudbees` context on
 * explicitly. CloudBees CI is Jenkins.
 *
 * https://docs.cloudbees.com/docs/cloudbees-unify/latest/dsl-syntax/contexts
 * https://github.com/cloudbees-io/checkout (reads `CLOUDBEES_EVENT_PATH`)
 */
export const CLOUDBEES: Provider = {
  matches: (env) => isSet(env.CLOUDBEES_EVENT_PATH) || isSet(env.CLOUDBEES_RUN_ID),
  read: (env, readFile) => {
    const lookup = openEventFile(env.CLOUDBEES_EVENT_PATH, readFile)
    const from = (name: string, change = (value: string): string | undefined => value): Source => {
      const value = lookup(name)
      return {
        value: value === undefined ? undefined : change(value),
        origin: `${name} in CLOUDBEES_EVENT_PATH`,
      }
    }
    const raw = githubEventSources((...path) => lookup('raw', ...path), lookup('sha'), 'CLOUDBEES_EVENT_PATH')
    return readFields(env, {
      ...(lookup('provider') === 'github' && raw),
      ci: [ciName('CloudBees Unify', 'CLOUDBEES_EVENT_PATH')],
      repository: ['CLOUDBEES_SCM_REPOSITORY', from('repository')],
      // A tag's `branch` is its name: only the whole ref tells the two apart.
      branch: ['CLOUDBEES_SCM_BRANCH', from('ref'), from('branch')],
      commit: ['CLOUDBEES_SCM_SHA', from('sha')],
      buildId: ['CLOUDBEES_RUN_ID', from('buildId')],
      buildUrl: ['CLOUDBEES_RUN_URL'],
      repositoryUrl: [pageFrom(env, 'CLOUDBEES_SCM_REPOSITORY_URL'), from('repositoryUrl', repositoryPage)],
    })
  },
}
