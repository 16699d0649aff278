import { withoutSlashes } from '../../core/without-slashes.ts'
import type { Environment } from '../../core/build.ts'
import { ciName, derived, isSet, legOf, readFields, type Provider, type Source } from '../fields.ts'
import { pageFrom } from '../repository-url.ts'

/**
 * Azure Pipelines.
 *
 * https://learn.microsoft.com/azure/devops/pipelines/build/variables
 */
export const AZURE_PIPELINES: Provider = {
  matches: (env) => isSet(env.TF_BUILD) || isSet(env.BUILD_BUILDURI),
  read: (env) =>
    readFields(env, {
      ci: [ciName('Azure Pipelines', 'TF_BUILD')],
      repository: [ownRepository(env), 'BUILD_REPOSITORY_NAME'],
      // BUILD_SOURCEBRANCHNAME would be the last part of `feature/checkout` only.
      branch: ['SYSTEM_PULLREQUEST_SOURCEBRANCH', 'BUILD_SOURCEBRANCH'],
      commit: ['SYSTEM_PULLREQUEST_SOURCECOMMITID', 'BUILD_SOURCEVERSION'],
      commitMessage: ['BUILD_SOURCEVERSIONMESSAGE'],
      committer: ['BUILD_SOURCEVERSIONAUTHOR', 'BUILD_REQUESTEDFOR'],
      buildId: ['BUILD_BUILDID'],
      projectId: ['SYSTEM_TEAMPROJECTID'],
      pullRequest: ['SYSTEM_PULLREQUEST_PULLREQUESTNUMBER', 'SYSTEM_PULLREQUEST_PULLREQUESTID'],
      buildUrl: [derived(env, RUN, runUrl)],
      jobUrl: [
        derived(env, [...RUN, 'SYSTEM_JOBID'], (collection, project, build, job) => {
          return `${runUrl(collection, project, build)}&view=logs&j=${job}`
        }),
      ],
      repositoryUrl: [pageFrom(env, 'BUILD_REPOSITORY_URI')],
      job: ['SYSTEM_JOBDISPLAYNAME'],
      leg: [legOf(env, 'SYSTEM_TOTALJOBSINPHASE', ['SYSTEM_JOBDISPLAYNAME', 'SYSTEM_JOBPOSITIONINPHASE'])],
      environment: ['ENVIRONMENT_NAME', 'RELEASE_ENVIRONMENTNAME'],
    }),
}

/** Azure's own repositories have names that are unique only within their project. */
function ownRepository(env: Environment): Source {
  return derived(env, ['SYSTEM_TEAMPROJECT', 'BUILD_REPOSITORY_NAME'], (project, name) =>
    env.BUILD_REPOSITORY_PROVIDER === 'TfsGit' ? `${project}/${name}` : undefined,
  )
}

const RUN = ['SYSTEM_COLLECTIONURI', 'SYSTEM_TEAMPROJECT', 'BUILD_BUILDID'] as const

function runUrl(collection: string, project: string, build: string): string {
  return `${withoutSlashes(collection)}/${encodeURIComponent(project)}/_build/results?buildId=${build}`
}
