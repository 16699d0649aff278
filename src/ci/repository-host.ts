/** How a code host names the pages of a repository. Every function takes the repository's page first. */
export interface RepositoryHost {
  /** `owner/name`, with groups where there are some. */
  readonly name: (page: string) => string
  readonly commit: (page: string, commit: string) => string
  /** What `to` has and `from` has not. */
  readonly compare: (page: string, from: string, to: string) => string
  readonly pullRequest: (page: string, number: string) => string
}

/** The path of a page as people write it, without the slash before it. */
function path(page: string): string {
  const { pathname } = new URL(page)
  try {
    return decodeURIComponent(pathname.slice(1))
  } catch {
    return pathname.slice(1)
  }
}

/** A branch or tag may hold slashes, which stay, and anything else, which does not. */
const ref = (text: string): string => encodeURIComponent(text).replaceAll('%2F', '/')

/** The CI that comes with its code host. */
export const GITLAB_CI_NAME = 'GitLab CI/CD'

/** GitHub's form, which Gitea and Forgejo have too, and to which GitLab redirects from. */
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

/** Azure tells commits from tags by two letters before them. */
function azureVersion(text: string): string {
  return (/^[0-9a-f]{40}$/.test(text) ? 'GC' : 'GT') + encodeURIComponent(text)
}

/**
 * The code host of a repository's page, by what its address shows; GitHub's form where nothing does.
 * @param ci the name of the CI that gave the address: GitLab's own builds repositories of its own host
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
