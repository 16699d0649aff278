import type { FastifyInstance, FastifyRequest } from 'fastify'
import { charsetOf, decodeText } from '../core/charset.ts'
import { isObject, parseJson } from '../core/json.ts'
import { parseForm, type Form } from './parse-form.ts'

/** The error for a body that cannot be read, with a sentence for its sender. */
export interface BodyError extends Error {
  readonly statusCode: 400 | 415
  readonly detail: string
}

/** JSON itself, and media types with the suffix `+json` (RFC 6839). */
const JSON_TYPE = /^(?:application|text)\/(?:[\w.-]+\+)?json(?:$|[\s;])/

type Done = (error: Error | null, body?: unknown) => void

/**
 * Accepts JSON bodies, as text: each route has its own answer to bad JSON. A body of another type is answered 415, unless
 * it is empty.
 */
export function takeJson(app: FastifyInstance): void {
  app.addContentTypeParser<Buffer>(JSON_TYPE, { parseAs: 'buffer' }, (request, body, done) =>
    finish(done, () => readText(request, body)),
  )
  app.addContentTypeParser('*', (request, payload, done) => {
    const refuse = (): void => done(bodyError(415, OTHER_TYPE))
    if (Number(request.headers['content-length'] ?? 0) > 0) return refuse()
    payload.once('data', () => {
      payload.removeAllListeners('end')
      refuse()
    })
    payload.once('end', () => done(null, undefined))
  })
}

/**
 * Also accepts forms, as `curl -d` and `wget --post-data` send them: the body is a `Form`. Both call JSON a form, too, unless
 * they are told otherwise; that is read as JSON.
 */
export function takeForms(app: FastifyInstance): void {
  app.addContentTypeParser<Buffer>(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    (request, body, done) => finish(done, () => readForm(request, body)),
  )
}

/** The object in a JSON body; undefined if the body is not JSON or not an object. */
export function parseObject(body: unknown): Record<string, unknown> | undefined {
  if (typeof body !== 'string') return undefined
  try {
    const value = parseJson(body)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** @throws BodyError 415 for an unknown charset */
function readText({ headers }: FastifyRequest, body: Buffer): string {
  const charset = charsetOf(headers['content-type'])
  const text = decodeText(body, charset)
  if (text === undefined) throw bodyError(415, `the body has an unknown charset; ${KNOWN_CHARSETS}`)
  return text
}

/** Escapes in a form stand for bytes, so the charset is decoded after them. The parser does both for UTF-8. */
function readForm(request: FastifyRequest, body: Buffer): Form | string {
  const charset = charsetOf(request.headers['content-type'])
  const text = readText(request, body)
  if (text.trimStart().startsWith('{') && parseObject(text) !== undefined) return text
  if (charset === undefined || charset === 'utf-8' || charset === 'utf8') return parseForm(text)
  return parseForm(body.toString('latin1'), (bytes) => decodeText(bytes, charset) ?? '')
}

function finish(done: Done, read: () => unknown): void {
  try {
    done(null, read())
  } catch (error) {
    done(error instanceof Error ? error : new Error('unknown'))
  }
}

const KNOWN_CHARSETS = 'send UTF-8, or declare a charset of the Encoding Standard, such as ISO-8859-1'
const OTHER_TYPE =
  'this route does not accept that content type; send JSON, with Content-Type: application/json'

function bodyError(statusCode: BodyError['statusCode'], detail: string): BodyError {
  return Object.assign(new Error(detail), { statusCode, detail })
}

/** The sentence in a `BodyError`; undefined for any other error. */
export function bodyErrorDetail(error: unknown): string | undefined {
  return error instanceof Error && 'detail' in error ? (error as BodyError).detail : undefined
}

/** The id in the path of a request; undefined if it is none. */
export function idOf({ params }: FastifyRequest): number | undefined {
  const { id } = params as { id: string }
  return /^\d{1,15}$/.test(id) ? Number(id) : undefined
}
