import { split } from 'shlex'
import { refuse, type Placed } from './yaml.ts'

/**
 * Splits a command into words. Quotes and backslashes work as in a shell, but no shell runs it, so `$VAR`,
 * `&&`, `|` and `>` are ordinary words (Codeship's documentation, "Steps", and "Using environment variables in
 * command steps").
 * @throws Failure of kind `usage` with file and line if a quote is not closed
 */
export function splitWords(text: string, place: Placed): string[] {
  try {
    return split(text)
  } catch {
    return refuse(place, 'a quote is not closed, or the last character is a backslash')
  }
}
