import type { ReadFile } from '../ci/fields.ts'
import type { Environment } from '../core/build.ts'
import { createSecret, type Secret } from '../core/secret.ts'
import { gather } from './sources.ts'
import { proxySecrets, readProxy } from './read-proxy.ts'
import { SETTING_LIST } from './settings.ts'

/** Shortest part of a secret that is one by itself, in characters: several keys may stand in one variable. */
const MIN_PART_CHARS = 12

/**
 * Every secret that the environment holds, or names a file of, however wrong the rest of the configuration is.
 * @param recall gives a file that was read before; throws for any other
 */
export function knownSecrets(env: Environment, recall: ReadFile): Secret[] {
  const { values } = gather({ options: {}, env, readFile: recall })
  const texts = SETTING_LIST.filter(({ secret }) => secret === true).flatMap(
    ({ name }) => values.get(name)?.texts ?? [],
  )
  const parts = texts.flatMap((text) => text.split(/[\s,=]+/)).filter((part) => part.length >= MIN_PART_CHARS)
  return [...[...texts, ...parts].map(createSecret), ...proxySecrets(readProxy(env))]
}
