import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import type { Problem } from './problem.ts'

/** What a request says about where it comes from and whom it is for. */
export type Addressed = Pick<IncomingMessage, 'url' | 'headers' | 'rawHeaders'>

export interface OwnNames {
  /** Host names by which the relay is reached, in lower case (`PAGERDUTY_RELAY_NAMES`). */
  readonly names: ReadonlySet<string>
  /** Whether any other name will do, because callers present a token, which no web page has. */
  readonly isAnyName: boolean
}

/**
 * Why a request is refused that a web page of another site may have made a browser send: 403 when the browser says so,
 * 421 when the relay is called by a name that anybody could have pointed at it (DNS rebinding). Programs that are not
 * browsers send neither `Origin` nor `Sec-Fetch-Site`.
 */
export function refuseForeign(request: Addressed, { names, isAnyName }: OwnNames): Problem | undefined {
  const { headers, rawHeaders } = request
  if (rawHeaders.filter(isHostName).length > 1) return SEVERAL_HOSTS
  const host = authorityOf(request)
  const site = headers['sec-fetch-site']
  const isForeignFetch = site !== undefined && FOREIGN_SITE.test(site)
  if (isForeignFetch || isForeignOrigin(headers.origin, host, names)) return FOREIGN
  return host === undefined || isAnyName || isOwnName(host, names) ? undefined : UNKNOWN_NAME
}

/** Values that browsers give for pages of another origin (W3C, "Fetch Metadata Request Headers"). */
const FOREIGN_SITE = /\b(?:cross|same)-site\b/i

const SEVERAL_HOSTS: Problem = { status: 400, detail: 'the request has several Host headers' }
const FOREIGN: Problem = { status: 403, detail: 'a web page of another site must not use this relay' }
const UNKNOWN_NAME: Problem = {
  status: 421,
  detail:
    'this relay is called by a name that it does not know: list the name in PAGERDUTY_RELAY_NAMES, or set ' +
    'PAGERDUTY_RELAY_TOKEN; an address, localhost and a name without dots always work',
}

/** `rawHeaders` has names and values in turn. */
function isHostName(text: string, index: number): boolean {
  return index % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host'
}

/** Host and port that the request is for. An absolute target wins over the header (RFC 9112, section 3.2.2). */
function authorityOf({ url = '', headers }: Addressed): string | undefined {
  return url.startsWith('/') ? headers.host : (URL.parse(url)?.host ?? headers.host)
}

/** Whether a page of another origin sent this. `null` stands for a page without one: a sandbox, a file. */
function isForeignOrigin(
  origin: string | undefined,
  host: string | undefined,
  names: ReadonlySet<string>,
): boolean {
  if (origin === undefined) return false
  const page = /^https?:/i.test(origin) ? URL.parse(origin) : null
  if (page === null) return true
  if (names.has(withoutDot(page.host))) return false // a proxy in front may write another Host
  // By the page's scheme, which a proxy that ends TLS changes: 443 is the same as no port for it.
  return host === undefined || URL.parse(`${page.protocol}//${host}`)?.host !== page.host
}

/** A host and an optional port (RFC 9110, section 7.2). Names of containers may hold an underscore. */
const AUTHORITY = /^(?:\[([\da-f:.]+(?:%\w+)?)\]|([\w.-]+))(?::\d*)?$/i

function isOwnName(authority: string, names: ReadonlySet<string>): boolean {
  const [, address, name] = AUTHORITY.exec(authority) ?? []
  if (address !== undefined) return isIPv6(address)
  const bare = withoutDot((name ?? '').toLowerCase())
  if (bare === '') return false
  return !bare.includes('.') || isIPv4(bare) || names.has(bare)
}

/** A name without the dot that ends a fully qualified one. */
function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}
