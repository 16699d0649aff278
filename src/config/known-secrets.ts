import type { ReadFile } from '../ci/fields.ts'
import type { Environment } from '../core/build.ts'
import { createSecret, type Secret } from '../core/secret.ts'
import { gather } from './sources.ts'
import { proxySecrets, readProxy } from './proxy.ts'
import { SETTING_LIST } from './settings.ts'

/** The shortest part of a value that counts as a secret of its own, in characters: a variable may hold several keys. */
const MIN_PART_CHARS = 12

/**
 * Every secret in the environment and in the files it names, even if the rest of the configuration is wrong.
 * @param recall gives the text of a file that was read before; throws for any other
 */
export function knownSecrets(env: Environment, recall: ReadFile): Secret[] {
  const { values } = gather({ options: {}, env, readFile: recall })
  const texts = SETTING_LIST.filter(({ secret }) => secret === true).flatMap(
    ({ name }) => values.get(name)?.texts ?? [],
  )
  const parts = texts.flatMap((text) => text.split(/[\s,=]+/)).filter((part) => part.length >= MIN_PART_CHARS)
  return [...[...texts, ...parts].map(createSecret), ...proxySecrets(readProxy(env))]
}
