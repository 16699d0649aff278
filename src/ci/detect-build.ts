import type { Build, Environment } from '../core/build.ts'
import { AZURE_PIPELINES } from './providers/azure-pipelines.ts'
import { BITBUCKET_PIPELINES } from './providers/bitbucket-pipelines.ts'
import { BUILDKITE } from './providers/buildkite.ts'
import { CIRCLECI } from './providers/circleci.ts'
import { CLOUDBEES } from './providers/cloudbees.ts'
import { CODEBUILD } from './providers/codebuild.ts'
import { isCodeship, readCodeship } from './providers/codeship.ts'
import { DRONE } from './providers/drone.ts'
import { readElsewhere } from './providers/env-ci.ts'
import { GITHUB_ACTIONS } from './providers/github-actions.ts'
import { GITLAB_CI } from './providers/gitlab-ci.ts'
import { JENKINS } from './providers/jenkins.ts'
import { normalizeRefs } from './normalize-ref.ts'
import type { Provider, ReadFile } from './provider.ts'
import { readCommit } from './read-commit.ts'
import { TEAMCITY } from './providers/teamcity.ts'
import { WOODPECKER } from './providers/woodpecker.ts'

/**
 * The CIs that have a reader here, in the order in which they are looked for. Those that nobody pretends to be come
 * first; Jenkins and TeamCity come last, since their variables are also set for agents of other CIs that run on them.
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
 * What the CI says about the build under way. Variables under Codeship's names win wherever they are present, so that a
 * pipeline that was moved elsewhere, and exports them, goes on as before; the name of the CI is its own. Outside any CI
 * nothing is known, and nothing fails for lack of one.
 */
export async function detectBuild(env: Environment, readFile: ReadFile): Promise<Build> {
  const provider = PROVIDERS.find(({ matches }) => matches(env))
  const native = await readNative(env, provider, readFile)
  const codeship = readCodeship(without(env, provider?.ownNames ?? []), native.ci)
  // Each by itself: a ref under Codeship's name that is no branch leaves the branch that the CI knows.
  const build = merge(normalizeRefs(native), normalizeRefs(codeship))
  return merge(readCommit(build), build)
}

async function readNative(
  env: Environment,
  provider: Provider | undefined,
  readFile: ReadFile,
): Promise<Build> {
  if (provider !== undefined) return provider.read(env, readFile)
  return isCodeship(env) ? { origins: {} } : await readElsewhere(env)
}

function without(env: Environment, names: readonly string[]): Environment {
  return names.length === 0
    ? env
    : Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)))
}

/** Both, where the second wins. */
function merge(first: Build, second: Build): Build {
  return { ...first, ...second, origins: { ...first.origins, ...second.origins } }
}
