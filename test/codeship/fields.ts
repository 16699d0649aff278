import { refuse, type Fields, type Text, type Value } from './yaml.ts'

/** The value as a map. @throws Failure with its place */
export function asMap(value: Value, what: string): Fields {
  return value.kind === 'map' ? value : refuse(value, `${what} has to be a map`)
}

/** The value as a list. @throws Failure with its place */
export function asList(value: Value, what: string): readonly Value[] {
  return value.kind === 'list' ? value.items : refuse(value, `${what} has to be a list`)
}

/** The value as one text that is not blank. @throws Failure with its place */
export function asText(value: Value, what: string): string {
  if (value.kind !== 'text') return refuse(value, `${what} has to be a single value`)
  return value.text.trim() === '' ? refuse(value, `${what} is blank`) : value.text
}

/** The text of a key; absent where the key is. @throws Failure with its place */
export function textOf({ entries }: Fields, key: string): string | undefined {
  const value = entries.get(key)
  return value === undefined ? undefined : asText(value, key)
}

/** The texts of a key that takes one or a list of them; empty where the key is absent. @throws Failure with its place */
export function textsOf({ entries }: Fields, key: string): string[] {
  const value = entries.get(key)
  if (value === undefined) return []
  return (value.kind === 'list' ? value.items : [value]).map((item) => asText(item, key))
}

/** The `KEY: value` map or `KEY=value` list of a key; empty where the key is absent. @throws Failure with its place */
export function pairsOf({ entries }: Fields, key: string): Record<string, string> {
  const value = entries.get(key)
  if (value === undefined) return {}
  if (value.kind === 'text') return refuse(value, `${key} has to be a map or a list of KEY=value`)
  const pairs: [string, string][] =
    value.kind === 'map'
      ? [...value.entries].map(([name, member]) => [name, plainText(member, name)])
      : value.items.map((item) => splitPair(item, key))
  return Object.fromEntries(pairs)
}

function splitPair(item: Value, key: string): [string, string] {
  const text = asText(item, key)
  const equals = text.indexOf('=')
  // The entry is not repeated: it may be a secret.
  return equals > 0
    ? [text.slice(0, equals), text.slice(equals + 1)]
    : refuse(item, `${key} has an entry that is not KEY=value`)
}

function plainText(value: Value, what: string): string {
  return (value.kind === 'text' ? value : (refuse(value, `${what} has to be a single value`) as Text)).text
}
