import { Failure, type FailureKind } from '../core/failure.ts'
import type { Traced } from '../core/identity.ts'

/** The groups of settings, each with its title in the help. A command takes whole groups. */
export const SETTING_GROUPS = {
  run: 'Running the command',
  started: 'Deployments that never end',
  relay: 'Listening',
  event: 'The event',
  paging: 'Paging',
  delivery: 'Delivery',
  rest: 'PagerDuty’s REST API',
  note: 'Incident notes',
  confirm: 'Confirmation',
  doctor: 'Further checks',
  watch: 'New incidents',
  gate: 'Incidents of the service',
  list: 'Selection',
  flush: 'Waiting',
  printing: 'Output',
} as const

export type SettingGroup = keyof typeof SETTING_GROUPS

/**
 * One thing that a user can set, by an option, a variable or both. It is declared once: the command line is checked, the
 * value read, and the help and documentation printed from its declaration.
 */
export interface Setting {
  readonly group: SettingGroup
  /** Long option without dashes. */
  readonly option?: string
  readonly variable?: string
  /** Placeholder for the value in the help; absent for a flag, which takes no value. */
  readonly value?: string
  /** The option may be given several times. */
  readonly repeatable?: true
  /** The variable holds a secret, so it may come from a file named by `<variable>_FILE`. */
  readonly secret?: true
  /** Reads a value; throws a Failure that says what would be accepted. Without it the value is text. */
  readonly parse?: (text: string) => unknown
  /** Reads the variable of a repeatable setting, if that holds a whole list. */
  readonly parseVariable?: (text: string) => readonly unknown[]
  /** The value used if none is set, as a user would write it. */
  readonly default?: string
  readonly help: string
}

/** A table of settings by name, all of one group. Their literal types stay, so that each value is read as its own type. */
export function inGroup<
  const G extends SettingGroup,
  const T extends Readonly<Record<string, Omit<Setting, 'group'>>>,
>(group: G, settings: T): { readonly [K in keyof T]: T[K] & { readonly group: G } } {
  const entries = Object.entries(settings).map(([name, setting]) => [name, { ...setting, group }])
  return Object.fromEntries(entries) as { readonly [K in keyof T]: T[K] & { readonly group: G } }
}

/** The help of a setting, with its default. */
export function describeSetting({ help, default: value }: Setting): string {
  return value === undefined ? help : `${help}; default: ${value}`
}

/** The type that a setting's value is read as: a flag as a boolean, a repeatable setting as a list. */
export type ValueOf<S extends Setting> = S extends { readonly value: string }
  ? S extends { readonly repeatable: true }
    ? readonly Parsed<S>[]
    : S extends { readonly default: string }
      ? NonNullable<Parsed<S>>
      : Parsed<S> | undefined
  : boolean

type Parsed<S> = S extends { readonly parse: (text: string) => infer T } ? T : string

/** A value as the user wrote it, trimmed, and where it came from. */
export interface RawValue {
  /** All values; several only for a repeatable option. Empty for a flag. */
  readonly texts: readonly string[]
  /** `--summary`, `PAGERDUTY_SUMMARY` or `PAGERDUTY_TOKEN_FILE`. */
  readonly origin: string
  readonly isOption: boolean
}

/** The values that are set, by the name of their setting. */
export type RawValues<Name extends string> = Pick<ReadonlyMap<Name, RawValue>, 'get'>

/** Something wrong with the configuration: which setting, and what would be accepted. Never the value. */
export interface Problem {
  readonly kind: Extract<FailureKind, 'usage' | 'config'>
  readonly message: string
  /** The `origin` of the value, if it is one value that is wrong. */
  readonly origin?: string
}

/** Reads settings by name and collects what is wrong with them, so that every problem is reported at once. */
export interface Reader<Name extends string> {
  /** The value of a setting, read as its declaration says; its default if it is unset or invalid. */
  get<S extends Setting>(name: Name, setting: S): ValueOf<S>
  /** A value read in another way than declared, or undefined if it is unset or invalid. */
  one<T>(name: Name, parse: (text: string) => T): T | undefined
  /** A text together with where it came from. */
  traced(name: Name): Traced | undefined
  report(problem: Problem): void
  /** Adds warnings about what was corrected in a value or left out of it. */
  warn(name: Name, notes: Iterable<string>): void
}

/** Reads the settings of one table, each by its name alone. */
export function valuesOf<T extends Readonly<Record<string, Setting>>>(
  reader: Reader<keyof T & string>,
  table: T,
): <N extends keyof T & string>(name: N) => ValueOf<T[N]> {
  return <N extends keyof T & string>(name: N) => reader.get<T[N]>(name, table[name])
}

/** A reader of gathered values. It adds what is wrong to `problems`, and what was corrected to `warnings`. */
export function createReader<Name extends string>(
  values: RawValues<Name>,
  problems: Problem[],
  warnings: string[] = [],
): Reader<Name> {
  const attempt = <T>(origin: string, parse: () => T): T | undefined => {
    try {
      return parse()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const kind = error.kind === 'config' || origin.endsWith('_FILE') ? 'config' : 'usage'
      problems.push({ kind, message: `${origin}: ${error.message}`, origin })
      return undefined
    }
  }
  const one = <T>(name: Name, parse: (text: string) => T): T | undefined => {
    const raw = values.get(name)
    const text = raw?.texts.at(-1)
    return raw === undefined || text === undefined ? undefined : attempt(raw.origin, () => parse(text))
  }
  const get = (name: Name, setting: Setting): unknown => {
    const { value, repeatable, parse = asText, parseVariable, default: fallback } = setting
    const raw = values.get(name)
    if (value === undefined) return raw !== undefined
    if (repeatable !== true) return one(name, parse) ?? (fallback === undefined ? undefined : parse(fallback))
    if (raw === undefined) return []
    const isList = !raw.isOption && parseVariable !== undefined
    return attempt(raw.origin, () => (isList ? raw.texts.flatMap(parseVariable) : raw.texts.map(parse))) ?? []
  }
  return {
    get: get as Reader<Name>['get'],
    one,
    traced: (name) => {
      const raw = values.get(name)
      const value = raw?.texts.at(-1)
      return raw === undefined || value === undefined ? undefined : { value, origin: raw.origin }
    },
    report: (problem) => problems.push(problem),
    warn: (name, notes) => {
      const origin = values.get(name)?.origin ?? name
      for (const note of notes) warnings.push(`${origin}: ${note}`)
    },
  }
}

function asText(text: string): string {
  return text
}

/** Without surrounding white space and one pair of quotes, which Docker's env files leave in place. */
export function trimValue(text: string | undefined): string {
  const trimmed = text?.trim() ?? ''
  const quoted = /^(["'])([\s\S]*)\1$/.exec(trimmed)
  return (quoted?.[2] ?? trimmed).trim()
}
