import type { Build, BuildField, Environment } from '../core/build.ts'
import { isUnreplaced } from '../core/unreplaced.ts'

/** Reads a small file whole; throws Node's errors. */
export type ReadFile = (path: string) => string

/** A CI service: how to recognize it, and how to read what it says about a build. */
export interface Provider {
  readonly matches: (env: Environment) => boolean
  /** @param readFile for a CI that keeps part of it in a file */
  readonly read: (env: Environment, readFile: ReadFile) => Build
  /** Variables that share a name with Codeship's but mean something else, so they are not read as Codeship's. */
  readonly ownNames?: readonly string[]
}

/** A value that is not simply one variable, and where it came from, in words. */
export interface Source {
  readonly value: string | undefined
  readonly origin: string
}

/** Where each field of a build may come from, best first: names of variables, or derived values. */
export type FieldSources = Readonly<
  Partial<Record<Exclude<BuildField, 'approved'>, readonly (string | Source)[]>>
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

/** Reads a build from a table of sources. The first source of a field that has a value wins; a field without one is absent. */
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

/** Whether a variable has a real value: not empty, `false`, `0` or another placeholder. */
export function isSet(value: string | undefined): value is string {
  return meaningful(value) !== undefined
}

/** A value derived from variables; undefined unless every one of them has a real value. */
export function derived<const Names extends readonly string[]>(
  env: Environment,
  names: Names,
  derive: (...values: { -readonly [Index in keyof Names]: string }) => string | undefined,
): Source {
  const values = names.map((name) => meaningful(env[name])).filter((value) => value !== undefined)
  const isKnown = values.length === names.length
  return {
    value: isKnown ? derive(...(values as { -readonly [Index in keyof Names]: string })) : undefined,
    origin: names.join(', '),
  }
}

/** The CI's name as people write it, and the variable that it was recognized by. */
export function ciName(name: string, variable: string): Source {
  return { value: name, origin: variable }
}

/**
 * The name of one of several parallel jobs; undefined if the CI does not say that there are several.
 * @param count the variable that holds their number; 1 means that the job is the only one
 * @param names variables that together tell this job from the others, and stay the same from build to build
 * @param word goes before a number that no name explains
 */
export function legOf(env: Environment, count: string, names: readonly string[], word = ''): Source {
  const isOneOfSeveral = /^\d{1,6}$/.test(env[count]?.trim() ?? '') && Number(env[count]) > 1
  // Not `derived`: the first job may be number 0, which is a placeholder everywhere else.
  const values = names.map((name) => env[name]?.trim() ?? '').filter((value) => value !== '')
  return {
    value: isOneOfSeveral && values.length > 0 ? `${word} ${values.join(' ')}`.trim() : undefined,
    origin: [count, ...names].join(', '),
  }
}

/** What a CI writes when it has no value, besides references: words, ids of zeros only, templates. */
const PLACEHOLDER = /^(?:0+|false|undefined|null|<no value>|\{\{[^}]*\}\})$/i

/** The text, well-formed and trimmed, or undefined if it is empty or a placeholder. */
export function meaningful(text: string | undefined): string | undefined {
  const trimmed = text?.toWellFormed().trim() ?? ''
  return trimmed === '' || PLACEHOLDER.test(trimmed) || isUnreplaced(trimmed) ? undefined : trimmed
}

/** An http(s) URL without credentials. Undefined if a part of it was unknown: it would lead nowhere. */
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
