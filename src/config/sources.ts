import type { Environment } from '../core/build.ts'
import type { FailureKind } from '../core/failure.ts'
import { SETTING_LIST, type SettingName } from './settings.ts'
import type { Setting } from './settings/setting.ts'

/** Options as the command line gave them, by long name: every value of one with a value, `true` for one without. */
export type Options = Readonly<Record<string, readonly string[] | true>>

/** A value as the user wrote it, trimmed, and the name of what it came from. */
export interface RawValue {
  /** All values; several only for a repeatable option. Empty for an option without a value. */
  readonly texts: readonly string[]
  /** `--summary`, `PAGERDUTY_SUMMARY` or `PAGERDUTY_TOKEN_FILE`. */
  readonly origin: string
  readonly isOption: boolean
}

/** Something wrong with the configuration: which setting, and what would be accepted. Never the value. */
export interface Problem {
  readonly kind: Extract<FailureKind, 'usage' | 'config'>
  readonly message: string
}

export interface Sources {
  readonly options: Options
  readonly env: Environment
  /** Reads a file named by a `*_FILE` variable; throws Node's errors. */
  readonly readFile: (path: string) => string
}

/** Every value that is set, and what could not be read. */
export interface Gathered {
  readonly values: ReadonlyMap<SettingName, RawValue>
  readonly problems: readonly Problem[]
}

/**
 * Collects the value of every setting: the option, else the variable, else the file that the variable's `_FILE` names.
 * Blank counts as unset.
 */
export function gather(sources: Sources): Gathered {
  const values = new Map<SettingName, RawValue>()
  const problems: Problem[] = []
  for (const setting of SETTING_LIST) {
    const value = fromOption(setting, sources.options) ?? fromVariable(setting, sources, problems)
    if (value !== undefined) values.set(setting.name, value)
  }
  return { values, problems }
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
      message: `${origin}: the file that it names cannot be read: ${errorInWords(error)}`,
    })
  }
  return undefined
}

/** Without surrounding white space and one pair of quotes, which Docker's env files leave in place. */
export function trimValue(text: string | undefined): string {
  const trimmed = text?.trim() ?? ''
  const quoted = /^(["'])([\s\S]*)\1$/.exec(trimmed)
  return (quoted?.[2] ?? trimmed).trim()
}

const IN_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  ELOOP: 'its links go in a circle',
  ENAMETOOLONG: 'its name is too long',
  EFBIG: 'it is too large',
  ETIMEDOUT: 'it is a pipe that nobody wrote to the end in 30 s',
  ABORT_ERR: 'interrupted',
  EAGAIN: 'there is nothing in it yet',
}

/** A file system error without its path, which may be a secret put into the wrong variable. */
export function errorInWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return IN_WORDS[code] ?? code
}
