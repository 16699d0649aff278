import { refuse, type Fields, type Value } from './yaml.ts'

/** The value as a map. @throws Failure with its place */
export function asMap(value: Value, what: string): Fields {
  return value.kind === 'map' ? value : refuse(value, `${what} must be a map`)
}

/** The value as a list. @throws Failure with its place */
export function asList(value: Value, what: string): readonly Value[] {
  return value.kind === 'list' ? value.items : refuse(value, `${what} must be a list`)
}

/** The value as one text that is not blank. @throws Failure with its place */
export function asText(value: Value, what: string): string {
  if (value.kind !== 'text') return refuse(value, `${what} must be a single value`)
  return value.text.trim() === '' ? refuse(value, `${what} is blank`) : value.text
}

/** The value of a key; absent if the key is, or if nothing is written after it. */
export function valueOf({ entries }: Fields, key: string): Value | undefined {
  const value = entries.get(key)
  return value?.kind === 'text' && value.isNull ? undefined : value
}

/** The text of a key; absent if the key is. @throws Failure with its place */
export function textOf(fields: Fields, key: string): string | undefined {
  const value = valueOf(fields, key)
  return value === undefined ? undefined : asText(value, key)
}

/** The texts of a key that takes one or a list of them; empty if the key is absent. @throws Failure with its place */
export function textsOf(fields: Fields, key: string): string[] {
  const value = valueOf(fields, key)
  if (value === undefined) return []
  return (value.kind === 'list' ? value.items : [value]).map((item) => asText(item, key))
}

/** A value that is written, or null for a name alone, which stands for the variable of this machine. */
export type Pairs = Readonly<Record<string, string | null>>

/**
 * The `KEY: value` map or `KEY=value` list of a key; empty if the key is absent. `KEY:` and `- KEY` take the value from
 * the machine that runs the build, as with Docker Compose.
 * @throws Failure with its place
 */
export function pairsOf(fields: Fields, key: string): Pairs {
  const value = valueOf(fields, key)
  if (value === undefined) return {}
  if (value.kind === 'text') return refuse(value, `${key} must be a map or a list of KEY=value`)
  const pairs: [string, string | null][] =
    value.kind === 'map'
      ? [...value.entries].map(([name, member]) => [name, plainText(member, name)])
      : value.items.map((item) => splitPair(item, key))
  return Object.fromEntries(pairs)
}

function splitPair(item: Value, key: string): [string, string | null] {
  const text = asText(item, key)
  const equals = text.indexOf('=')
  if (equals === -1 && /^[A-Za-z_][\w.-]*$/.test(text)) return [text, null]
  // The entry is not repeated: it may be a secret.
  return equals > 0
    ? [text.slice(0, equals), text.slice(equals + 1)]
    : refuse(item, `${key} has an entry that is not KEY=value`)
}

function plainText(value: Value, what: string): string | null {
  if (value.kind !== 'text') return refuse(value, `${what} must be a single value`)
  return value.isNull ? null : value.text
}
