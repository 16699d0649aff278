import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Scope } from './access.ts'
import type { RelayDeps } from './context.ts'
import { sendProblem, type Problem } from './problem.ts'

const PROBES = new Set(['/healthz', '/readyz'])
/** The requests that somebody who is logged in to the page may make. A session opens no route that sends events. */
const OF_PAGE = new Set([
  '/status',
  '/events',
  '/events/:id',
  '/events/live',
  '/events/retry',
  '/events/:id/discard',
  '/deployments',
  '/deployments/:id',
])
/** Accepted values of Content-Encoding. */
const PLAIN = new Set(['identity', ''])
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE'] as const

type GuardDeps = Pick<RelayDeps, 'config' | 'access' | 'isPageOn' | 'draining'>

/** Whether this is an orchestrator's probe. A probe has no token, and is answered however busy the relay is. */
export function isProbe({ routeOptions }: FastifyRequest): boolean {
  return PROBES.has(routeOptions.url ?? '')
}

/**
 * Whether the caller is a system that cannot send the relay's token; its route checks another secret (`routes/hooks.ts`).
 */
function isWebhook({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.startsWith('/hooks/') === true
}

/**
 * Answers requests that need not be read any further, before their body is read: another site 403 or 421, no token 401,
 * unknown route 404, wrong method 405, and any new event while the relay shuts down 503.
 */
export function mountGuards(app: FastifyInstance, { config, access, isPageOn, draining }: GuardDeps): void {
  const ownNames = { names: config.names, isAnyName: config.token !== undefined }
  const scopeOf = (request: FastifyRequest): Scope | undefined => {
    if (isProbe(request) || isWebhook(request) || (isPageOn && isOpenPage(request))) return 'act'
    const isOfPage = isPageOn && OF_PAGE.has(request.routeOptions.url ?? '')
    return access.byToken(request.headers) ?? (isOfPage ? access.bySession(request.headers) : undefined)
  }
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff')
    const foreign = refuseForeign(request.raw, ownNames)
    if (foreign !== undefined) return sendProblem(reply, foreign)
    const scope = scopeOf(request)
    if (scope === undefined) {
      void reply.header('www-authenticate', 'Bearer realm="pagerduty-alert"')
      return sendProblem(reply, {
        status: 401,
        detail: 'send the relay’s token (PAGERDUTY_RELAY_TOKEN) as Authorization: Bearer TOKEN',
      })
    }
    if (scope === 'view' && request.method !== 'GET' && request.method !== 'HEAD')
      return sendProblem(reply, { status: 403, detail: 'this token is read-only' })
    if (request.is404) return refuseRoute(app, request, reply)
    if (request.method === 'POST' && draining.aborted) {
      void reply.header('connection', 'close')
      return sendProblem(reply, { status: 503, detail: 'the relay is shutting down', retryAfterSeconds: 5 })
    }
    if (!PLAIN.has((request.headers['content-encoding'] ?? '').toLowerCase())) {
      void reply.header('accept-encoding', 'identity') // RFC 9110, section 12.5.3
      return sendProblem(reply, {
        status: 415,
        detail: 'send the body uncompressed, without Content-Encoding',
      })
    }
    return done()
  })
  // Never reached, since the hook has answered; but without a handler Fastify would parse the body first.
  app.setNotFoundHandler((_request, reply) => reply.code(404).send())
}

/** The page itself, which says nothing about the relay, and where somebody logs in. */
function isOpenPage(request: FastifyRequest): boolean {
  const route = request.routeOptions.url ?? ''
  return route.startsWith('/ui/') || (route === '/' && wantsPage(request))
}

/** Whether a request comes from a browser, which shows a page, and not from a program, which reads JSON. */
export function wantsPage({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') === true
}

function refuseRoute(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path = '/'] = request.url.split('?')
  // The router would read a path with `*` or `:` as a pattern, and may fail to compile it.
  const allowed = /^[\w./-]*$/.test(path)
    ? METHODS.filter((method) => app.hasRoute({ method, url: path }))
    : []
  if (allowed.length === 0)
    return sendProblem(reply, { status: 404, detail: 'no such route; see /openapi.json' })
  void reply.header('allow', allowed.join(', '))
  return sendProblem(reply, { status: 405, detail: `this route accepts ${allowed.join(', ')}` })
}

/** The parts of a request that say where it comes from and which host it is for. */
export type AddressedRequest = Pick<IncomingMessage, 'url' | 'headers' | 'rawHeaders'>

export interface OwnNames {
  /** The relay's host names, in lower case (`PAGERDUTY_RELAY_NAMES`). */
  readonly names: ReadonlySet<string>
  /** Whether any other name is fine too, because callers have a token, which no web page has. */
  readonly isAnyName: boolean
}

/**
 * Refuses requests that a web page of another site may have made a browser send: 403 if the browser says so, 421 if the
 * host name is one that anybody could have pointed at the relay (DNS rebinding). Programs other than browsers send neither
 * `Origin` nor `Sec-Fetch-Site`.
 */
export function refuseForeign(
  request: AddressedRequest,
  { names, isAnyName }: OwnNames,
): Problem | undefined {
  const { headers, rawHeaders } = request
  if (rawHeaders.filter(isHostName).length > 1) return SEVERAL_HOSTS
  const host = authorityOf(request)
  const site = headers['sec-fetch-site']
  const isForeignFetch = site !== undefined && FOREIGN_SITE.test(site)
  if (isForeignFetch || isForeignOrigin(headers.origin, host, names)) return FOREIGN
  return host === undefined || isAnyName || isOwnName(host, names) ? undefined : UNKNOWN_NAME
}

/** Values that browsers send for pages of another origin (W3C, "Fetch Metadata Request Headers"). */
const FOREIGN_SITE = /\b(?:cross|same)-site\b/i

const SEVERAL_HOSTS: Problem = { status: 400, detail: 'the request has more than one Host header' }
const FOREIGN: Problem = {
  status: 403,
  detail:
    'a web page of another site must not use this relay; if a proxy in front of it changes Host, add the name that browsers use to PAGERDUTY_RELAY_NAMES',
}
const UNKNOWN_NAME: Problem = {
  status: 421,
  detail:
    'this relay does not know the host name in the request: add the name to PAGERDUTY_RELAY_NAMES, or set ' +
    'PAGERDUTY_RELAY_TOKEN; an IP address, localhost and a name without dots always work',
}

/** `rawHeaders` alternates names and values. */
function isHostName(text: string, index: number): boolean {
  return index % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host'
}

/** The host and port of the request. An absolute target takes precedence over the header (RFC 9112, section 3.2.2). */
function authorityOf({ url = '', headers }: AddressedRequest): string | undefined {
  return url.startsWith('/') ? headers.host : (URL.parse(url)?.host ?? headers.host)
}

/** Whether a page of another origin sent this. Browsers send `null` for a page without an origin: a sandbox, a file. */
function isForeignOrigin(
  origin: string | undefined,
  host: string | undefined,
  names: ReadonlySet<string>,
): boolean {
  if (origin === undefined) return false
  const page = /^https?:/i.test(origin) ? URL.parse(origin) : null
  if (page === null) return true
  if (names.has(withoutDot(page.host))) return false // a proxy in front may write another Host
  // The page's scheme decides, since a proxy may terminate TLS: for https, port 443 is the same as none.
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

/** A name without the final dot of a fully qualified one. */
function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}
