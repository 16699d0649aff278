import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { RelayAccess } from '../config/relay.ts'
import type { Secret } from '../core/secret.ts'
import { sendProblem, type Problem } from './problem.ts'

const PROBES = new Set(['/healthz', '/readyz'])
/** How a body may be encoded. */
const PLAIN = new Set(['identity', ''])
const METHODS = ['GET', 'HEAD', 'POST'] as const

interface GuardDeps {
  readonly access: RelayAccess
  /** Whether the relay is about to end. */
  readonly isDraining: () => boolean
}

/** Whether an orchestrator asks how the relay is. It has no token, and is answered however busy the relay is. */
export function isProbe({ routeOptions }: FastifyRequest): boolean {
  return PROBES.has(routeOptions.url ?? '')
}

/**
 * Lets a request in, or answers it before its body is read: another site 403 or 421, no token 401, unknown route 404,
 * other method 405, and 503 for what would be new work while the relay ends.
 */
export function mountGuards(app: FastifyInstance, { access: { token, names }, isDraining }: GuardDeps): void {
  const ownNames = { names, isAnyName: token !== undefined }
  const isAuthorized = token === undefined ? () => true : createTokenCheck(token)
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff')
    const foreign = refuseForeign(request.raw, ownNames)
    if (foreign !== undefined) return sendProblem(reply, foreign)
    if (!isProbe(request) && !isAuthorized(request.headers.authorization)) {
      void reply.header('www-authenticate', 'Bearer realm="pagerduty-alert"')
      return sendProblem(reply, {
        status: 401,
        detail: 'send the relay’s token (PAGERDUTY_RELAY_TOKEN) as Authorization: Bearer',
      })
    }
    if (request.is404) return refuseRoute(app, request, reply)
    if (request.method === 'POST' && isDraining()) {
      void reply.header('connection', 'close')
      return sendProblem(reply, { status: 503, detail: 'the relay is shutting down', retryAfterSeconds: 5 })
    }
    if (!PLAIN.has((request.headers['content-encoding'] ?? '').toLowerCase())) {
      void reply.header('accept-encoding', 'identity') // RFC 9110, section 12.5.3
      return sendProblem(reply, { status: 415, detail: 'send the body as it is, without Content-Encoding' })
    }
    return done()
  })
  // Never reached: the hook has answered. Without a handler of its own Fastify would parse the body first.
  app.setNotFoundHandler((_request, reply) => reply.code(404).send())
}

function refuseRoute(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path = '/'] = request.url.split('?')
  // A path with `*` or `:` would be taken for a pattern, which the router may refuse to compile.
  const allowed = /^[\w./-]*$/.test(path)
    ? METHODS.filter((method) => app.hasRoute({ method, url: path }))
    : []
  if (allowed.length === 0)
    return sendProblem(reply, { status: 404, detail: 'there is no such route; see /openapi.json' })
  void reply.header('allow', allowed.join(', '))
  return sendProblem(reply, { status: 405, detail: `this route takes ${allowed.join(', ')}` })
}

/**
 * A check of `Authorization: Bearer …` that takes the same time whatever is presented: digests of equal length are
 * compared, so that not even the token's length shows.
 */
export function createTokenCheck(token: Secret): (header: string | undefined) => boolean {
  const expected = digest(token.reveal())
  return (header = '') => {
    const presented = /^bearer +(\S+) *$/i.exec(header)?.[1]
    return timingSafeEqual(digest(presented ?? ''), expected) && presented !== undefined
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

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
