import type { DeploymentState } from '../../core/deployment-state.ts'
import { createHmac, type BinaryLike } from 'node:crypto'
import { normalizeRefs } from '../../ci/normalize-ref.ts'
import type { Build, BuildField } from '../../core/build.ts'
import { isObject } from '../../core/json.ts'
import { present } from '../../core/present.ts'
import { isSameSecret } from '../same-secret.ts'

/** A webhook's request, as far as the hooks read it. */
export interface HookRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The body's bytes as they arrived: signatures are computed over them. */
  readonly rawBody: Buffer
  /** The same, parsed. */
  readonly body: unknown
  readonly query: Readonly<Record<string, string | undefined>>
}

/** A deployment that a webhook reports. */
export interface HookReport {
  readonly state: DeploymentState
  readonly build: Build
  readonly environment?: string
  /** The system's own words about a failure, not masked yet. */
  readonly output?: string
  /** Milliseconds since 1970. */
  readonly startedAtMs?: number
  readonly endedAtMs?: number
}

/** A system whose webhooks report deployments. */
export interface Hook {
  /** True if the request was made by somebody who knows the secret. Compared in constant time. */
  readonly isAuthentic: (request: HookRequest, secret: string) => boolean
  /** What the webhook reports, or in words why there is nothing to report. */
  readonly read: (request: HookRequest) => HookReport | string
}

/** True for `sha256=<hex>`, or another of the algorithms, of the bytes under the secret. */
export function isSigned(header: string | undefined, bytes: BinaryLike, secret: string): boolean {
  const [, algorithm = '', signature = ''] = /^(sha256|sha512)=([0-9a-f]{64,128})$/.exec(header ?? '') ?? []
  if (algorithm === '') return false
  return isSameSecret(signature, createHmac(algorithm, secret).update(bytes).digest('hex'))
}

/** True if the secret is the bearer token, or the password of basic authentication (`https://hook:SECRET@relay/…`). */
export function isAuthorized({ headers }: HookRequest, secret: string): boolean {
  const [, scheme = '', credentials = ''] =
    /^(bearer|basic) +(\S+)$/i.exec(headers['authorization'] ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return isSameSecret(credentials, secret)
  if (scheme === '') return false
  const decoded = Buffer.from(credentials, 'base64').toString('utf8')
  return isSameSecret(decoded.slice(decoded.indexOf(':') + 1), secret)
}

/** The member at a path of names, or undefined. */
export function at(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>(
    (parent, name) => (isObject(parent) && Object.hasOwn(parent, name) ? parent[name] : undefined),
    value,
  )
}

/** The text or number at a path of names, as a text that is not blank; else undefined. */
export function textAt(value: unknown, ...names: readonly string[]): string | undefined {
  const member = at(value, ...names)
  const text = typeof member === 'number' ? String(member) : typeof member === 'string' ? member.trim() : ''
  return text === '' ? undefined : text
}

/** The time at a path of names, in milliseconds since 1970; undefined if there is none. */
export function timeAt(value: unknown, ...names: readonly string[]): number | undefined {
  // GitLab writes `2026-03-01 12:00:00 UTC`, which `Date.parse` takes.
  const timeMs = Date.parse(textAt(value, ...names) ?? '')
  return Number.isNaN(timeMs) ? undefined : timeMs
}

/** A build of the fields that are known, its refs normalized. Each came from the webhook. */
export function buildOf(fields: Partial<Record<Exclude<BuildField, 'approved'>, string | undefined>>): Build {
  const known = present(fields)
  return normalizeRefs({
    ...known,
    origins: Object.fromEntries(Object.keys(known).map((name) => [name, 'the webhook'])),
  })
}

/** A report of the parts that are known. */
export function reportOf({ state, build, output, ...others }: Reported): HookReport {
  // For any outcome but a failure, the system's words are not worth showing.
  return { state, build, ...present({ ...others, output: state === 'failure' ? output : undefined }) }
}

type Reported = { readonly [Name in keyof HookReport]: HookReport[Name] | undefined } & Pick<
  HookReport,
  'state' | 'build'
>
