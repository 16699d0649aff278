import { parseJson } from '../core/json.ts'
import type { ReadFile } from './provider.ts'

/** The variables that name such a file. */
export const EVENT_FILE_VARIABLES = ['GITHUB_EVENT_PATH', 'CLOUDBEES_EVENT_PATH'] as const

/** The text or number at a path of names in a JSON document, or undefined. */
export type Lookup = (...path: readonly string[]) => string | undefined

/**
 * Opens the JSON file in which a CI describes what started the build. A file that cannot be read says nothing: no event
 * is lost for it.
 * @param path as the CI's variable gives it
 */
export function openEventFile(path: string | undefined, readFile: ReadFile): Lookup {
  const document = readDocument(path, readFile)
  return (...names) => {
    const value = names.reduce<unknown>(member, document)
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
  }
}

function readDocument(path: string | undefined, readFile: ReadFile): unknown {
  if (path === undefined || path.trim() === '') return undefined
  try {
    return parseJson(readFile(path))
  } catch {
    return undefined
  }
}

function member(parent: unknown, name: string): unknown {
  return typeof parent === 'object' && parent !== null && Object.hasOwn(parent, name)
    ? (parent as Record<string, unknown>)[name]
    : undefined
}
