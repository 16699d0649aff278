import { percentDecode } from '../core/percent-decode.ts'

/** How a code host addresses the pages of a repository. Every function takes the repository's page first. */
export interface RepositoryHost {
  /** `owner/name`, with groups if there are any. */
  readonly name: (page: string) => string
  readonly commit: (page: string, commit: string) => string
  /** The changes from one commit or tag to another. */
  readonly compare: (page: string, from: string, to: string) => string
  readonly pullRequest: (page: string, number: string) => string
}

/** The path of a page as people write it, without the slash before it. */
function path(page: string): string {
  return percentDecode(new URL(page).pathname.slice(1))
}

/** Slashes of a branch or tag stay; everything else is encoded. */
const ref = (text: string): string => encodeURIComponent(text).replaceAll('%2F', '/')

/** The CI that is part of its code host. */
export const GITLAB_CI_NAME = 'GitLab CI/CD'

/** GitHub's form, which Gitea and Forgejo share; GitLab redirects it to its own. */
const GITHUB: RepositoryHost = {
  name: path,
  commit: (page, commit) => `${page}/commit/${ref(commit)}`,
  compare: (page, from, to) => `${page}/compare/${ref(from)}...${ref(to)}`,
  pullRequest: (page, number) => `${page}/pull/${number}`,
}

const GITLAB: RepositoryHost = {
  name: path,
  commit: (page, commit) => `${page}/-/commit/${ref(commit)}`,
  compare: (page, from, to) => `${page}/-/compare/${ref(from)}...${ref(to)}`,
  pullRequest: (page, number) => `${page}/-/merge_requests/${number}`,
}

const BITBUCKET_CLOUD: RepositoryHost = {
  name: path,
  commit: (page, commit) => `${page}/commits/${ref(commit)}`,
  compare: (page, from, to) => `${page}/branches/compare/${ref(to)}%0D${ref(from)}`,
  pullRequest: (page, number) => `${page}/pull-requests/${number}`,
}

/** Bitbucket Server and Data Center: `/projects/KEY/repos/name`, `/users/name/repos/name`. */
const BITBUCKET_SERVER: RepositoryHost = {
  name: (page) => path(page).replace(/^(?:.*\/)?(?:projects|users)\/([^/]+)\/repos\/([^/]+)$/, '$1/$2'),
  commit: (page, commit) => `${page}/commits/${ref(commit)}`,
  compare: (page, from, to) =>
    `${page}/compare/commits?sourceBranch=${encodeURIComponent(to)}&targetBranch=${encodeURIComponent(from)}`,
  pullRequest: (page, number) => `${page}/pull-requests/${number}`,
}

const AZURE: RepositoryHost = {
  name: (page) => path(page).replace('/_git/', '/'),
  commit: (page, commit) => `${page}/commit/${ref(commit)}`,
  compare: (page, from, to) =>
    `${page}/branchCompare?baseVersion=${azureVersion(from)}&targetVersion=${azureVersion(to)}`,
  pullRequest: (page, number) => `${page}/pullrequest/${number}`,
}

/** Azure marks commits and tags with two letters before them. */
function azureVersion(text: string): string {
  return (/^[0-9a-f]{40}$/.test(text) ? 'GC' : 'GT') + encodeURIComponent(text)
}

/**
 * The code host of a repository's page, recognized by its address; by default one with GitHub's form.
 * @param ci the name of the CI that gave the address: GitLab's builds only repositories of its own host
 */
export function repositoryHost(page: string, ci?: string): RepositoryHost {
  const { hostname, pathname } = new URL(page)
  if (ci === GITLAB_CI_NAME) return GITLAB
  if (pathname.includes('/_git/')) return AZURE
  if (/\/(?:projects|users)\/[^/]+\/repos\/[^/]+$/.test(pathname)) return BITBUCKET_SERVER
  if (hostname === 'bitbucket.org') return BITBUCKET_CLOUD
  // Only GitLab has groups within groups.
  if (/(?:^|[.-])gitlab(?:[.-]|$)/.test(hostname) || pathname.split('/').length > 3) return GITLAB
  return GITHUB
}
