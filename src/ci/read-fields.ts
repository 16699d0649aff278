import type { Build, BuildField, Environment } from '../core/build.ts'

/** A value that was put together, and where it came from in words. */
export interface Made {
  readonly value: string | undefined
  readonly origin: string
}

/** Where each field of a build may come from, best first: names of variables, or values made from several. */
export type FieldSources = Readonly<
  Partial<Record<Exclude<BuildField, 'approved'>, readonly (string | Made)[]>>
>

/** Fields that people follow as links. */
const URL_FIELDS = new Set<string>([
  'buildUrl',
  'jobUrl',
  'repositoryUrl',
  'commitUrl',
  'compareUrl',
  'pullRequestUrl',
])

/**
 * Reads a build by a table of sources. The first source of a field that says something is taken; a field for which
 * none does is absent.
 */
export function readFields(env: Environment, sources: FieldSources): Build {
  const values: Record<string, string> = {}
  const origins: Record<string, string> = {}
  for (const [field, candidates] of Object.entries(sources)) {
    for (const candidate of candidates) {
      const { value, origin } =
        typeof candidate === 'string' ? { value: env[candidate], origin: candidate } : candidate
      const meant = URL_FIELDS.has(field) ? meaningfulUrl(value) : meaningful(value)
      if (meant === undefined) continue
      values[field] = meant
      origins[field] = origin
      break
    }
  }
  return { ...values, origins }
}

/** What a CI writes where it has nothing to say: words, ids of zeros only, references that nobody expanded. */
const PLACEHOLDER = /^(?:0+|false|undefined|null|<no value>|\$\{[^}]*\}|\$\([\w.]*\)|\{\{[^}]*\}\})$/i

/** A well-formed text without surrounding white space, or undefined where it says nothing. */
export function meaningful(text: string | undefined): string | undefined {
  const trimmed = text?.toWellFormed().trim() ?? ''
  return trimmed === '' || PLACEHOLDER.test(trimmed) ? undefined : trimmed
}

/** An http(s) URL without credentials, or undefined. One with a part that was unknown leads nowhere. */
function meaningfulUrl(text: string | undefined): string | undefined {
  const trimmed = meaningful(text)
  if (trimmed === undefined || !/^https?:\/\//i.test(trimmed) || !URL.canParse(trimmed)) return undefined
  if (/\/(?:undefined|null)(?:$|[/?#])/.test(trimmed)) return undefined
  const url = new URL(trimmed)
  if (url.username === '' && url.password === '') return trimmed
  url.username = ''
  url.password = ''
  return url.href
}
