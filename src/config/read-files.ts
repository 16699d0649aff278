import { EVENT_FILE_VARIABLES } from '../ci/event-file.ts'
import type { ReadFile } from '../ci/fields.ts'
import type { Environment } from '../core/build.ts'
import { trimValue } from './sources.ts'
import { SETTING_LIST } from './settings.ts'

/**
 * Reads every file that the environment names, side by side: one may be a pipe whose writer takes its time.
 * @returns a reader of what was read, which throws the errors that came of it
 */
export async function readFiles(
  env: Environment,
  read: (path: string) => Promise<string>,
): Promise<ReadFile> {
  const secrets = SETTING_LIST.flatMap(({ variable, secret }) =>
    variable !== undefined && secret === true ? [trimValue(env[`${variable}_FILE`])] : [],
  )
  const events = EVENT_FILE_VARIABLES.map((variable) => env[variable] ?? '')
  const paths = [...new Set([...secrets, ...events])].filter((path) => path.trim() !== '')
  const results = await Promise.allSettled(paths.map((path) => read(path)))
  return (path) => {
    const result = results[paths.indexOf(path)]
    if (result?.status === 'fulfilled') return result.value
    throw result?.reason ?? new Error('a file that was not asked for')
  }
}
