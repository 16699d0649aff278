import type { Build } from '../core/build.ts'
import { readFields } from './read-fields.ts'

/**
 * What a commit tells by itself: the pull request that it merged, and the last tag before it. Used where the CI does
 * not say it better.
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

/** How code hosts word a merge, by their own defaults. The first line has the number, GitLab's has it at the end. */
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

/** The tag of `git describe`: `v1.4.2` of `v1.4.2-3-g5f0c1d2`. */
function lastTag(description: string): string | undefined {
  return /^(.+)-[1-9]\d*-g[0-9a-f]+$/.exec(description)?.[1]
}
