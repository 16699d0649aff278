import { createKnownSearch } from './find-known.ts'
import { maskRanges, type Range } from './ranges.ts'
import { findSecretShapes } from './secret-shapes.ts'
import { cutJsonBytes } from './truncate.ts'

/** Most that the output detail takes of an event, in bytes of its JSON: enough for forty long lines. */
const MAX_OUTPUT_BYTES = 64 * 1024
/**
 * How much of a text is looked at, in UTF-16 units: what is shown, and as much before it, so that a secret over several
 * lines is recognized.
 */
const MAX_MASKED_CHARS = 2 * MAX_OUTPUT_BYTES
const LONG_LINE = '[a line of more than 128 KiB]'

/**
 * The last lines of a command's output as an event shows them: no escape sequences, nothing secret, valid UTF-8.
 * @param text    whole lines, more of them than are shown, so that a secret over several lines is recognized
 * @param secrets values to mask
 * @returns undefined where nothing is left to show
 */
export function formatOutput(text: string, maxLines: number, secrets: readonly string[]): string | undefined {
  const end = lastLines(text.trimEnd())
  const lines = maskOutput(stripControls(end.toWellFormed()), secrets).trimEnd().split('\n')
  const shown = lines.slice(-maxLines).join('\n')
  return maxLines === 0 || shown.trim() === '' ? undefined : cutJsonBytes(shown, MAX_OUTPUT_BYTES, 'tail')
}

/** The whole lines at the end of a text. Of a longer line nothing is shown: it might begin with half a secret. */
function lastLines(text: string): string {
  if (text.length <= MAX_MASKED_CHARS) return text
  const lineFeed = text.indexOf('\n', text.length - MAX_MASKED_CHARS - 1)
  return lineFeed === -1 ? LONG_LINE : text.slice(lineFeed + 1)
}

/** What stands where something secret stood. */
const MASK = '[masked]'

/** Searches that were made, by the list of secrets: a relay masks many outputs with the same. */
const searches = new WeakMap<readonly string[], (text: string) => Range[]>()

/** A text without the given secrets, in any usual encoding, and without whatever has the shape of one. */
export function maskOutput(text: string, secrets: readonly string[]): string {
  const search = searches.get(secrets) ?? createKnownSearch(secrets)
  searches.set(secrets, search)
  return maskRanges(text, [...search(text), ...findSecretShapes(text)], MASK)
}

/* oxlint-disable no-control-regex -- control characters are what these two look for */
// CSI, OSC (ended by BEL or ST) and the other escape sequences of ECMA-48; then what is left of control characters.
const ESCAPE_SEQUENCE =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[PX^_][^\u001b]*\u001b\\|[ -/]*[0-~])/g
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** A text without terminal escape sequences and control characters; tabs and line ends stay. */
export function stripControls(text: string): string {
  return text.replaceAll(ESCAPE_SEQUENCE, '').replaceAll(CONTROL, '')
}
