import type { FastifyInstance } from 'fastify'
import { isObject, parseJson } from '../core/json.ts'
import { parseForm } from './parse-form.ts'

/** Takes JSON bodies, as text: a route says itself what it makes of a bad one. Others are answered 415. */
export function takeJson(app: FastifyInstance): void {
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )
}

/** Takes forms too, as `curl -d` and `wget --post-data` send them: the body is a `Form`. */
export function takeForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, parseForm(String(body))),
  )
}

/** The object that a JSON body holds; undefined where it is no JSON or no object. */
export function parseObject(body: unknown): Record<string, unknown> | undefined {
  if (typeof body !== 'string') return undefined
  try {
    const value = parseJson(body.replace(/^\uFEFF/, ''))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
