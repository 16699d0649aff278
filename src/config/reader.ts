import { Failure } from '../core/failure.ts'
import type { Traced } from '../core/identity.ts'
import type { Problem, RawValue } from './sources.ts'
import type { SettingName } from './settings.ts'

/** Reads settings by name, and keeps what is wrong with them, so that everything is reported at once. */
export interface Reader {
  /** The parsed value of a setting that is set and valid. */
  one<T>(name: SettingName, parse: (text: string) => T): T | undefined
  /** All values of a repeatable option, or what its variable holds. */
  many<T>(
    name: SettingName,
    parse: (text: string) => T,
    parseVariable: (text: string) => readonly T[],
  ): readonly T[]
  /** A text together with where it came from. */
  traced(name: SettingName): Traced | undefined
  isSet(name: SettingName): boolean
  report(problem: Problem): void
  /** Notes what was mended in the value of a setting, or left out of it. */
  warn(name: SettingName, notes: Iterable<string>): void
}

/** A reader over gathered values that adds what it finds wrong to `problems`, and what was mended to `warnings`. */
export function createReader(
  values: ReadonlyMap<SettingName, RawValue>,
  problems: Problem[],
  warnings: string[] = [],
): Reader {
  const attempt = <T>(origin: string, parse: () => T): T | undefined => {
    try {
      return parse()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const kind = error.kind === 'config' || origin.endsWith('_FILE') ? 'config' : 'usage'
      problems.push({ kind, message: `${origin}: ${error.message}` })
      return undefined
    }
  }
  return {
    one: (name, parse) => {
      const raw = values.get(name)
      const text = raw?.texts.at(-1)
      return raw === undefined || text === undefined ? undefined : attempt(raw.origin, () => parse(text))
    },
    many: (name, parse, parseVariable) => {
      const raw = values.get(name)
      if (raw === undefined) return []
      const read = (): readonly ReturnType<typeof parse>[] =>
        raw.isOption ? raw.texts.map(parse) : raw.texts.flatMap(parseVariable)
      return attempt(raw.origin, read) ?? []
    },
    traced: (name) => {
      const raw = values.get(name)
      const value = raw?.texts.at(-1)
      return raw === undefined || value === undefined ? undefined : { value, origin: raw.origin }
    },
    isSet: (name) => values.has(name),
    report: (problem) => problems.push(problem),
    warn: (name, notes) => {
      const origin = values.get(name)?.origin ?? name
      for (const note of notes) warnings.push(`${origin}: ${note}`)
    },
  }
}
