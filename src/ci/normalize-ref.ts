import type { Build, BuildField } from '../core/build.ts'
import { meaningful } from './fields.ts'

/** What a ref's name says: the branch, the tag, the pull request that it was made for, or nothing. */
export interface Ref {
  readonly branch?: string
  readonly tag?: string
  readonly pullRequest?: string
}

/**
 * Prefixes that say where a ref is stored, not what it is called. `origin/main` alone stays: it may be the name of a branch,
 * and a provider that puts the remote's name first removes it.
 */
const BRANCH_PREFIX = /^(?:refs\/heads\/|refs\/remotes\/[^/]+\/|remotes\/[^/]+\/|heads\/)/
const TAG_PREFIX = /^(?:refs\/)?tags\//

/** A checkout without a branch, in the words of Git, GitPython, Jenkins and JGit. */
const DETACHED = /^\(?(?:HEAD|detached|no branch)(?:$|[ )])|^\(HEAD detached|^\(detached from|^refs\/HEAD$/i

/**
 * Refs that a code host makes for a pull request. They disappear with it, so an alert under their name would never be
 * resolved. The first group is the number.
 */
const PULL_REQUEST_REFS = [
  /^(?:refs\/)?pull\/(\d+)(?:\/(?:head|merge))?$/, // GitHub, Gitea, Azure; CircleCI and Netlify without `refs/`
  /^(\d+)\/(?:head|merge)$/, // GITHUB_REF_NAME of the same
  /^(?:refs\/(?:remotes\/)?)?(?:origin\/)?pr\/(\d+)(?:\/(?:head|merge))?$/, // Jenkins' pull request builder, CodeBuild
  /^(?:refs\/)?pull-requests\/(\d+)(?:\/(?:from|merge|merge-clean))?$/, // Bitbucket Server
  /^(?:refs\/)?merge-requests\/(\d+)(?:\/(?:head|merge|train))?$/, // GitLab
  /^(?:PR|MR)-(\d+)(?:-(?:head|merge))?$/, // Jenkins' multibranch jobs
]

/** Gerrit's changes: the second part is the change's number. */
const GERRIT_CHANGE = /^refs\/changes\/\d\d\/(\d+)\/\d+$/

/**
 * Branches on which a merge queue tests what the base branch would become. GitHub's name includes the base and the last pull
 * request of the group, the others do not include the base.
 *
 * https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue
 */
const GITHUB_MERGE_QUEUE = /^gh-readonly-queue\/(.+)\/pr-(\d+)-[0-9a-f]+$/
const OTHER_MERGE_QUEUES = [/^trunk-merge\/(?:pr-(\d+)\/)?/, /^mergify\/merge-queue\//, /^gtmq_/]

/**
 * Reads a ref's name in any form that CIs and their users write.
 * @param name without surrounding white space
 */
export function parseRef(name: string): Ref {
  if (DETACHED.test(name)) return {}
  if (TAG_PREFIX.test(name)) return tagOf(name.replace(TAG_PREFIX, ''))
  const bare = name.replace(BRANCH_PREFIX, '')
  if (DETACHED.test(bare)) return {}
  const queued = GITHUB_MERGE_QUEUE.exec(bare)
  if (queued !== null) return { branch: queued[1] ?? '', pullRequest: queued[2] ?? '' }
  const queue = OTHER_MERGE_QUEUES.map((form) => form.exec(bare)).find((match) => match !== null)
  if (queue !== undefined) return numbered(queue[1])
  const pullRequest = [...PULL_REQUEST_REFS, GERRIT_CHANGE]
    .map((form) => form.exec(bare))
    .find((match) => match !== null)
  if (pullRequest !== undefined) return numbered(pullRequest[1])
  return bare === '' ? {} : { branch: bare }
}

function tagOf(tag: string): Ref {
  return tag === '' ? {} : { branch: tag, tag }
}

function numbered(pullRequest: string | undefined): Ref {
  return pullRequest === undefined ? {} : { pullRequest }
}

/**
 * Makes sure that a build's branch is a branch: the same name however the build was started, and none if later builds would
 * not have that ref again.
 */
export function normalizeRefs(build: Build): Build {
  const { branch, tag, ...rest } = build
  const parsed = branch === undefined ? {} : parseRef(branch)
  const named = tag?.replace(TAG_PREFIX, '') ?? parsed.tag
  const found = {
    branch: meaningful(parsed.branch ?? named),
    tag: meaningful(named),
    pullRequest: build.pullRequest ?? parsed.pullRequest,
  }
  const origins: Partial<Record<BuildField, string>> = { ...build.origins }
  const origin = origins.branch ?? origins.tag
  for (const field of ['branch', 'tag', 'pullRequest'] as const) {
    if (found[field] === undefined) delete origins[field]
    else if (origins[field] === undefined && origin !== undefined) origins[field] = origin
  }
  const fields = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
  return { ...rest, ...fields, origins }
}
