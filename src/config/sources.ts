import { EVENT_FILE_VARIABLES } from '../ci/event-file.ts'
import type { ReadFile } from '../ci/fields.ts'
import type { Environment } from '../core/build.ts'
import { fileErrorReason } from '../core/file-error.ts'
import { isUnreplaced } from '../core/unreplaced.ts'
import { trimValue, type Problem, type RawValue, type Setting } from './setting.ts'
import { SETTING_LIST, type SettingName } from './settings.ts'

/** The options of the command line by their long names: all values of an option, or `true` for a flag. */
export type Options = Readonly<Record<string, readonly string[] | true>>

export interface Sources {
  readonly options: Options
  readonly env: Environment
  /** Reads a file named by a `*_FILE` variable; throws Node's errors. */
  readonly readFile: (path: string) => string
}

/** Every value that is set, and the problems with reading them. */
export interface Gathered {
  readonly values: ReadonlyMap<SettingName, RawValue>
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

/**
 * Collects the value of every setting: from the option, else the variable, else the file that the variable's `_FILE`
 * names. A blank value counts as unset.
 */
export function gather(sources: Sources): Gathered {
  const values = new Map<SettingName, RawValue>()
  const problems: Problem[] = []
  const warnings: string[] = []
  for (const setting of SETTING_LIST) {
    const value = fromOption(setting, sources.options) ?? fromVariable(setting, sources, problems)
    if (value === undefined) continue
    if (isUnset(setting, value)) warnings.push(`${value.origin}: ${UNREPLACED}`)
    else values.set(setting.name, value)
  }
  return { values, problems, warnings }
}

const UNREPLACED = 'is a reference to a variable that was never replaced, so it counts as unset'

/** Settings that have no parser, and yet say themselves what is wrong with a reference. */
const CHECKED_LATER: readonly SettingName[] = ['status', 'clientUrl']

/** Whether a text of the event is only a reference. Other settings refuse it, and say what they accept. */
function isUnset({ group, name, parse }: (typeof SETTING_LIST)[number], { texts }: RawValue): boolean {
  if (group !== 'event' || parse !== undefined || CHECKED_LATER.includes(name)) return false
  return isUnreplaced(texts.at(-1) ?? '')
}

function fromOption({ option }: Setting, options: Options): RawValue | undefined {
  const given = option === undefined ? undefined : options[option]
  if (given === undefined) return undefined
  const texts = given === true ? [] : given.map((text) => text.trim()).filter((text) => text !== '')
  return given === true || texts.length > 0 ? { texts, origin: `--${option}`, isOption: true } : undefined
}

function fromVariable(
  { variable, secret }: Setting,
  sources: Sources,
  problems: Problem[],
): RawValue | undefined {
  if (variable === undefined) return undefined
  const text = trimValue(sources.env[variable])
  const fileVariable = `${variable}_FILE`
  const path = secret === true ? trimValue(sources.env[fileVariable]) : ''
  if (text !== '' && path !== '') {
    problems.push({
      kind: 'config',
      message: `${variable} and ${fileVariable} are both set; unset one of them`,
    })
    return undefined
  }
  if (path !== '') return fromFile(fileVariable, path, sources, problems)
  return text === '' ? undefined : { texts: [text], origin: variable, isOption: false }
}

function fromFile(
  origin: string,
  path: string,
  { readFile }: Sources,
  problems: Problem[],
): RawValue | undefined {
  try {
    const text = trimValue(readFile(path))
    if (text !== '') return { texts: [text], origin, isOption: false }
    problems.push({ kind: 'config', message: `${origin}: the file that it names is empty` })
  } catch (error) {
    problems.push({
      kind: 'config',
      message: `${origin}: the file that it names cannot be read: ${fileErrorReason(error)}`,
    })
  }
  return undefined
}

/**
 * Reads every file that the environment names, all at the same time: one may be a pipe whose writer is slow.
 * @returns a function that gives a file's text, or throws the error that reading it ended with
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
