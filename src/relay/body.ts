import type { FastifyInstance, FastifyRequest } from 'fastify'
import { charsetOf, decodeText } from '../core/charset.ts'
import { isObject, parseJson } from '../core/json.ts'
import { parseForm, type Form } from './parse-form.ts'

/** A body that cannot be read, with a sentence for its sender. */
export interface BodyError extends Error {
  readonly statusCode: 400 | 415
  readonly detail: string
}

/** JSON itself, and what is JSON by its suffix (RFC 6839). */
const JSON_TYPE = /^(?:application|text)\/(?:[\w.-]+\+)?json(?:$|[\s;])/

type Done = (error: Error | null, body?: unknown) => void

/**
 * Takes JSON bodies, as text: a route says itself what it makes of a bad one. A body of another type is answered 415,
 * unless it is empty.
 */
export function takeJson(app: FastifyInstance): void {
  app.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, (request, body, done) =>
    finish(done, () => readText(request, Buffer.from(body))),
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

/** Takes forms too, as `curl -d` and `wget --post-data` send them: the body is a `Form`. */
export function takeForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    (request, body, done) => finish(done, () => readForm(request, Buffer.from(body))),
  )
}

/** The object that a JSON body holds; undefined where it is no JSON or no object. */
export function parseObject(body: unknown): Record<string, unknown> | undefined {
  if (typeof body !== 'string') return undefined
  try {
    const value = parseJson(body)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** @throws BodyError 415 for a charset that is not known */
function readText({ headers }: FastifyRequest, body: Buffer): string {
  const charset = charsetOf(headers['content-type'])
  const text = decodeText(body, charset)
  if (text === undefined) throw bodyError(415, `the charset of the body is not known; ${KNOWN_CHARSETS}`)
  return text
}

/** In a form, escapes are bytes too, so it is decoded after they are resolved; those of UTF-8 are left to the parser. */
function readForm(request: FastifyRequest, body: Buffer): Form {
  const charset = charsetOf(request.headers['content-type'])
  const text = readText(request, body)
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

const KNOWN_CHARSETS = 'send UTF-8, or declare one that the Encoding Standard knows, such as ISO-8859-1'
const OTHER_TYPE = 'this route does not take a body of that content type; see /openapi.json'

function bodyError(statusCode: BodyError['statusCode'], detail: string): BodyError {
  return Object.assign(new Error(detail), { statusCode, detail })
}

/** What a body that cannot be read is answered with; undefined for another error. */
export function bodyErrorDetail(error: unknown): string | undefined {
  return error instanceof Error && 'detail' in error ? (error as BodyError).detail : undefined
}
