import type { Build, Environment } from '../core/build.ts'
import { isSet, readFields, type Provider, type ReadFile } from './fields.ts'
import { normalizeRefs } from './normalize-ref.ts'
import { AZURE_PIPELINES } from './providers/azure-pipelines.ts'
import { BITBUCKET_PIPELINES } from './providers/bitbucket-pipelines.ts'
import { BUILDKITE } from './providers/buildkite.ts'
import { CIRCLECI } from './providers/circleci.ts'
import { CLOUDBEES } from './providers/cloudbees.ts'
import { CODEBUILD } from './providers/codebuild.ts'
import { isCodeship, readCodeship } from './providers/codeship.ts'
import { DRONE } from './providers/drone.ts'
import { readWithEnvCi } from './providers/env-ci.ts'
import { GITHUB_ACTIONS } from './providers/github-actions.ts'
import { GITLAB_CI } from './providers/gitlab-ci.ts'
import { JENKINS } from './providers/jenkins.ts'
import { TEAMCITY } from './providers/teamcity.ts'
import { WOODPECKER } from './providers/woodpecker.ts'

/**
 * The CIs with a reader of their own, in the order in which they are tried. CIs whose variables no other CI sets come first.
 * Jenkins and TeamCity come last, since their variables are also set for agents of other CIs that run on them.
 */
const PROVIDERS: readonly Provider[] = [
  GITHUB_ACTIONS,
  GITLAB_CI,
  BITBUCKET_PIPELINES,
  CIRCLECI,
  BUILDKITE,
  AZURE_PIPELINES,
  DRONE,
  WOODPECKER,
  CLOUDBEES,
  CODEBUILD,
  JENKINS,
  TEAMCITY,
]

/**
 * Reads what the CI says about the current build. Variables with Codeship's names win if they are set, so that a pipeline
 * that moved to another CI and exports them works as before; only the CI's name is the new one. Outside a CI nothing is
 * known, and that is not an error.
 */
export async function detectBuild(env: Environment, readFile: ReadFile): Promise<Build> {
  const provider = PROVIDERS.find(({ matches }) => matches(env))
  const native = await readNative(env, provider, readFile)
  const codeship = readCodeship(without(env, provider?.ownNames ?? []), native.ci)
  // Normalized separately: if the ref under Codeship's name is not a branch, the CI's own branch stays.
  const build = merge(normalizeRefs(native), normalizeRefs(codeship))
  return merge(readCommit(build), build)
}

async function readNative(
  env: Environment,
  provider: Provider | undefined,
  readFile: ReadFile,
): Promise<Build> {
  if (provider !== undefined) return provider.read(env, readFile)
  return isCodeship(env) ? { origins: {} } : await readWithEnvCi(env)
}

function without(env: Environment, names: readonly string[]): Environment {
  return names.length === 0
    ? env
    : Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)))
}

/** Both builds; the second wins. */
function merge(first: Build, second: Build): Build {
  return { ...first, ...second, origins: { ...first.origins, ...second.origins } }
}

/**
 * What a commit's message and description reveal: the pull request that it merged, and the last tag before it. Used only if
 * the CI itself does not say so.
 */
export function readCommit({ commitMessage = '', commitDescription = '', origins }: Build): Build {
  return readFields(
    {},
    {
      pullRequest: [
        { value: mergedPullRequest(commitMessage), origin: origins.commitMessage ?? 'the commit message' },
      ],
      base: [
        {
          value: lastTag(commitDescription),
          origin: origins.commitDescription ?? 'the description of the commit',
        },
      ],
    },
  )
}

/** The default messages of code hosts for a merge. The number is in the first line, GitLab's in the last. */
const MERGES = [
  /^Merge pull request #(\d+) from /, // GitHub, Bitbucket Server, Gitea
  /^Merged in .+ \(pull request #(\d+)\)/, // Bitbucket
  /^Pull request #(\d+): /, // Bitbucket Server
  /^Merged PR (\d+): /, // Azure
  /^See merge request (?:[^\s!]+)?!(\d+)$/m, // GitLab
  /^[^\n]+ \(#(\d+)\)(?:\n|$)/, // squashed on GitHub
]

function mergedPullRequest(message: string): string | undefined {
  return MERGES.map((form) => form.exec(message)?.[1]).find((number) => number !== undefined)
}

/** The tag in the output of `git describe`: `v1.4.2` in `v1.4.2-3-g5f0c1d2`. */
function lastTag(description: string): string | undefined {
  return /^(.+)-[1-9]\d*-g[0-9a-f]+$/.exec(description)?.[1]
}

/** Whether the program runs in a CI build: `CI` is set, as nearly every CI does, or anything is known about the build. */
export function isBuild(env: Environment, build: Build): boolean {
  return isSet(env['CI']) || Object.keys(build).some((field) => field !== 'origins')
}
