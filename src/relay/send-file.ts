import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { pageFiles, type PageFiles } from './page-files.ts'

/* The answers of the page's addresses. Loaded at the first view: few relays have viewers. */

/** What a browser may do with the page: nothing but what the page itself does. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const TYPES: Readonly<Record<keyof PageFiles, string>> = {
  '/': 'text/html; charset=utf-8',
  '/ui/page.css': 'text/css; charset=utf-8',
  '/ui/page.js': 'text/javascript; charset=utf-8',
  '/ui/icon.svg': 'image/svg+xml',
}

interface Packed {
  readonly plain: string
  readonly gzip: Buffer
  readonly etag: string
}

const packed = new Map<string, Packed>()

/** Sends a file that is the same for everybody. A browser that has it gets 304. */
export function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  path: Exclude<keyof PageFiles, '/'>,
): FastifyReply {
  const file = packed.get(path) ?? pack(pageFiles()[path])
  packed.set(path, file)
  protect(reply).headers({ 'cache-control': 'no-cache', etag: file.etag }).type(TYPES[path])
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send()
  return sendPacked(request, reply, file)
}

/**
 * Sends the page itself.
 * @param login whether somebody has to log in first, and what was wrong with the last try
 * @param now what browsers show that run no script, as HTML
 */
export function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { login, now = '' }: { readonly login?: { readonly problem?: string }; readonly now?: string },
): FastifyReply {
  let html = pageFiles()['/'].replace('<noscript></noscript>', () => `<noscript>${now}</noscript>`)
  if (login !== undefined) {
    html = html.replace('<form id=login hidden', '<form id=login')
    const problem = login.problem ?? ''
    html = html.replace('id=login-problem role=alert>', (start) => start + problem)
  }
  protect(reply).header('cache-control', 'no-store').type(TYPES['/'])
  return sendPacked(request, reply, pack(html))
}

function pack(plain: string): Packed {
  const digest = createHash('sha256').update(plain).digest('base64url').slice(0, 16)
  return { plain, gzip: gzipSync(plain, { level: 9 }), etag: `"${digest}"` }
}

function sendPacked({ headers }: FastifyRequest, reply: FastifyReply, { plain, gzip }: Packed): FastifyReply {
  void reply.header('vary', 'accept, accept-encoding')
  return takesGzip(headers['accept-encoding'])
    ? reply.header('content-encoding', 'gzip').send(gzip)
    : reply.send(plain)
}

/** See RFC 9110, section 12.5.3. */
function takesGzip(header: string | string[] | undefined): boolean {
  const codings = String(header ?? '')
    .toLowerCase()
    .split(',')
  return codings.some((coding) => {
    const [name = '', weight = ''] = coding.split(';')
    return name.trim() === 'gzip' && !/^q=0(?:\.0*)?$/.test(weight.trim())
  })
}

function protect(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'content-security-policy': POLICY,
    'referrer-policy': 'same-origin', // with `no-referrer`, a form without a script has the origin `null`
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  })
}
