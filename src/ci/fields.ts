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

/**
 * The name of one job of several, if the CI says that there are several.
 * @param count the variable that holds their number; 1 means that the job is the only one
 * @param names variables that together tell this job from the others, and stay the same from build to build
 * @param word goes before a number that no name explains
 */
export function legOf(env: Environment, count: string, names: readonly string[], word = ''): Made {
  const isOneOfSeveral = /^\d{1,6}$/.test(env[count]?.trim() ?? '') && Number(env[count]) > 1
  // Not by `made`: a first job is number 0, which says nothing elsewhere.
  const values = names.map((name) => env[name]?.trim() ?? '').filter((value) => value !== '')
  return {
    value: isOneOfSeveral && values.length > 0 ? `${word} ${values.join(' ')}`.trim() : undefined,
    origin: [count, ...names].join(', '),
  }
}
