import type { Build, Environment } from '../core/build.ts'

export function detectBuild(env: Environment): Build {
  return env.CI_BRANCH === undefined
    ? { origins: {} }
    : {
        ci: 'Codeship',
        repository: env.CI_REPO_NAME ?? 'x',
        branch: env.CI_BRANCH,
        commit: env.CI_COMMIT_ID ?? '',
        commitMessage: env.CI_COMMIT_MESSAGE ?? '',
        origins: { branch: 'CI_BRANCH' },
      }
}
