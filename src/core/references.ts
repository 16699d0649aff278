import { Failure } from './failure.ts'
import { isObject } from './json.ts'

/** `${NAME}`, or `$${` for a literal `${`. */
const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g

/**
 * Replaces `${NAME}` inside every string value of a JSON document, names of members excepted.
 * @param lookUp the value of a variable, or undefined where it is not set
 * @throws Failure of kind `usage` that names every variable that is not set, once
 */
export function replaceReferences(document: unknown, lookUp: (name: string) => string | undefined): unknown {
  const missing = new Set<string>()
  const replaced = mapStrings(document, (text) =>
    text.replaceAll(REFERENCE, (reference, name?: string) => {
      if (name === undefined) return reference.slice(1)
      const value = lookUp(name)
      if (value === undefined) missing.add(name)
      return value ?? ''
    }),
  )
  if (missing.size > 0) {
    const names = [...missing].map((name) => `\${${name}}`).join(', ')
    throw new Failure(
      'usage',
      `the event refers to variables that are not set: ${names} (write $\${ for a literal \${)`,
    )
  }
  return replaced
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item: unknown) => mapStrings(item, map))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapStrings(item, map)]))
}
