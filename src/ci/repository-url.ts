import type { Build, Environment } from '../core/build.ts'
import { Failure } from '../core/failure.ts'
import { derived, meaningful, type Source } from './fields.ts'
import { repositoryHost } from './repository-host.ts'

/**
 * The web page of a repository, from any form of its address: that of a page, a clone URL
 * (`https`, `ssh`, `git`), or Git's short `git@host:owner/name.git`. No credentials, no `.git`, no slash at the end.
 * @throws Failure of kind `usage` that says what is accepted
 */
export function parseRepositoryUrl(text: string): string {
  return repositoryPage(text) ?? refuse()
}

function refuse(): never {
  throw new Failure(
    'usage',
    "must be a repository's address, such as https://github.com/acme/shop or git@gitlab.com:acme/shop.git",
  )
}

/** Like `parseRepositoryUrl`, but undefined if the text is not a repository's address. */
export function repositoryPage(text: string): string | undefined {
  const url = toUrl(text.trim())
  if (url === undefined) return undefined
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  // Only a web address has the port of the pages; an ssh port belongs to another server.
  const host = isWeb ? url.host : (WEB_HOST[url.hostname] ?? url.hostname)
  const path = pagePath(url, host)
  if (host === '' || path === '') return undefined
  return `${url.protocol === 'http:' ? 'http' : 'https'}://${host}/${path}`
}

/** Hosts that only serve ssh, some of them on port 443, and the hosts of their pages. */
const WEB_HOST: Readonly<Record<string, string>> = {
  'ssh.github.com': 'github.com',
  'altssh.gitlab.com': 'gitlab.com',
  'altssh.bitbucket.org': 'bitbucket.org',
  'ssh.dev.azure.com': 'dev.azure.com',
}

const SCHEME = /^(?:https?|ssh|git|git\+ssh|git\+https):\/\//i
/** Git's short form, with the port that some put before the path. */
const SHORT_FORM = /^(?:[^@/\s]+@)?([\w-]+(?:\.[\w-]+)+):\/?(?:\d+\/(?=[^/]+\/))?(.+)$/
/** An address without a scheme, as people type it. */
const BARE_FORM = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?\/[^/\s]+\/\S+$/

function toUrl(text: string): URL | undefined {
  const address = SCHEME.test(text) ? text : withScheme(text)
  // Map `git:` and `git+ssh:` to `ssh:`, since `URL` does not parse the host of a scheme that it does not know.
  const url = address?.replace(/^git\+https(?=:)/i, 'https').replace(/^git(?:\+ssh)?(?=:)/i, 'ssh')
  return url !== undefined && URL.canParse(url) ? new URL(url) : undefined
}

function withScheme(text: string): string | undefined {
  if (BARE_FORM.test(text)) return `https://${text}`
  const short = SHORT_FORM.exec(text)
  return short ? `ssh://${short[1]}/${short[2]}` : undefined
}

/** Bitbucket Server's own port for ssh. */
const BITBUCKET_SSH_PORT = '7999'

/** The path of a repository's page, without slashes around it, from the path under which it is cloned. */
function pagePath({ pathname, port }: URL, host: string): string {
  const path = pathname
    .replaceAll(/\/{2,}/g, '/')
    .replaceAll(/^\/|\/$/g, '')
    .replace(/\/(?:-|browse)(?:\/[^]*)?$/, '') // a page within GitLab's or Bitbucket Server's
    .replace(/\.git$/i, '')
  if (host === 'github.com' || host === 'bitbucket.org') return path.split('/').slice(0, 2).join('/')
  if (host === 'dev.azure.com') return path.replace(/^v3\/([^/]+\/[^/]+)\//, '$1/_git/')
  const isBitbucket = port === BITBUCKET_SSH_PORT || /(?:^|[.-])bitbucket[.-]/.test(host)
  const clone = (isBitbucket ? /^(?:scm\/)?(~?)([^/]+)\/([^/]+)$/ : /^scm\/(~?)([^/]+)\/([^/]+)$/).exec(path)
  return clone ? `${clone[1] === '' ? 'projects' : 'users'}/${clone[2]}/repos/${clone[3]}` : path
}

/** The web page of the repository whose address a variable holds in any form, even a clone URL with a token in it. */
export function pageFrom(env: Environment, name: string): Source {
  return derived(env, [name], repositoryPage)
}

/** `owner/name` of the repository whose address a variable holds in any form. */
export function repositoryFrom(env: Environment, name: string): Source {
  return derived(env, [name], (address) => {
    const page = repositoryPage(address)
    return page === undefined ? undefined : repositoryHost(page).name(page)
  })
}

/**
 * Adds what follows from a repository's address, if the CI does not give it: the name, and links to the commit, to the
 * changes and to the pull request.
 * @param url the user's setting, already parsed; it wins over the CI's address
 */
export function withRepositoryUrl(build: Build, url: string | undefined): Build {
  const page = url ?? build.repositoryUrl
  if (page === undefined) return build
  const host = repositoryHost(page, url === undefined ? build.ci : undefined)
  const { commit, pullRequest, base } = build
  const links = {
    repository: meaningful(host.name(page)),
    commitUrl: commit === undefined ? undefined : host.commit(page, commit),
    compareUrl:
      base === undefined || commit === undefined || base === commit
        ? undefined
        : host.compare(page, base, commit),
    pullRequestUrl: pullRequest === undefined ? undefined : host.pullRequest(page, pullRequest),
  }
  const missing = Object.entries(links).filter(
    ([field, value]) => value !== undefined && !Object.hasOwn(build, field),
  )
  const origin = url === undefined ? (build.origins.repositoryUrl ?? 'the CI') : 'PAGERDUTY_REPOSITORY_URL'
  return {
    ...build,
    ...Object.fromEntries(missing),
    repositoryUrl: page,
    origins: {
      ...build.origins,
      ...Object.fromEntries(missing.map(([field]) => [field, origin])),
      repositoryUrl: origin,
    },
  }
}
