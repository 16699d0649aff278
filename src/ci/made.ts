import type { Environment } from '../core/build.ts'
import { meaningful, type Made } from './read-fields.ts'
import { repositoryName, repositoryPage } from './repository-url.ts'

/** True where a variable says something, and not `false`, `0` or nothing. */
export function isSet(value: string | undefined): value is string {
  return meaningful(value) !== undefined
}

/** A value made from variables, all of which have to say something. */
export function made<const Names extends readonly string[]>(
  env: Environment,
  names: Names,
  make: (...values: { -readonly [Index in keyof Names]: string }) => string | undefined,
): Made {
  const values = names.map((name) => meaningful(env[name])).filter((value) => value !== undefined)
  const isKnown = values.length === names.length
  return {
    value: isKnown ? make(...(values as { -readonly [Index in keyof Names]: string })) : undefined,
    origin: names.join(', '),
  }
}

/** The CI's own name, which the variable by which it is known stands for. */
export function named(name: string, variable: string): Made {
  return { value: name, origin: variable }
}

/** The page of the repository that a variable gives in any form, a clone URL with a token in it included. */
export function pageFrom(env: Environment, name: string): Made {
  return made(env, [name], repositoryPage)
}

/** `owner/name` of the repository that a variable gives in any form. */
export function repositoryFrom(env: Environment, name: string): Made {
  return made(env, [name], (address) => {
    const page = repositoryPage(address)
    return page === undefined ? undefined : repositoryName(page)
  })
}

/** `main` of `refs/heads/main`, `v1` of `refs/tags/v1`. */
export function refName(env: Environment, name: string): Made {
  return made(env, [name], (ref) => ref.replace(/^refs\/(?:heads|tags)\//, ''))
}

/** `v1` of `refs/tags/v1`; nothing of any other ref. */
export function tagName(ref: string): string | undefined {
  return /^refs\/tags\/(.+)$/.exec(ref)?.[1]
}
