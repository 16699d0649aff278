import { createKnownSearch } from './find-known.ts'
import { maskRanges, type Range } from './ranges.ts'
import { findSecretShapes } from './secret-shapes.ts'
import { cutJsonBytes } from './truncate.ts'

/** Maximum of output in an event, in bytes of its JSON: enough for forty long lines. */
const MAX_OUTPUT_BYTES = 64 * 1024
/**
 * How much of a text is searched for secrets, in UTF-16 units: what is shown, and as much before it, so that a secret
 * that spans several lines is recognized.
 */
const MAX_MASKED_CHARS = 2 * MAX_OUTPUT_BYTES
const LONG_LINE = '[a line of more than 128 KiB]'

/**
 * The last lines of a command's output as an event shows them: no escape sequences, nothing secret, valid UTF-8.
 * @param text    whole lines, more of them than are shown, so that a secret that spans several lines is recognized
 * @param secrets values to mask
 * @returns undefined if nothing is left to show
 */
export function formatOutput(text: string, maxLines: number, secrets: readonly string[]): string | undefined {
  const end = lastLines(text.trimEnd())
  const lines = maskOutput(stripControls(end.toWellFormed()), secrets).trimEnd().split('\n')
  const shown = lines.slice(-maxLines).join('\n')
  return maxLines === 0 || shown.trim() === '' ? undefined : cutJsonBytes(shown, MAX_OUTPUT_BYTES, 'tail')
}

/** The complete lines at the end of a text. A longer line is not shown at all: it might begin with half a secret. */
function lastLines(text: string): string {
  if (text.length <= MAX_MASKED_CHARS) return text
  const lineFeed = text.indexOf('\n', text.length - MAX_MASKED_CHARS - 1)
  return lineFeed === -1 ? LONG_LINE : text.slice(lineFeed + 1)
}

/** Replaces a secret. */
const MASK = '[masked]'

/** Searches by the list of their secrets: a relay masks many outputs with the same list. */
const searches = new WeakMap<readonly string[], (text: string) => Range[]>()

/** A text with the given secrets masked, in any usual encoding, and anything else that looks like a secret. */
export function maskOutput(text: string, secrets: readonly string[]): string {
  const search = searches.get(secrets) ?? createKnownSearch(secrets)
  searches.set(secrets, search)
  return maskRanges(text, [...search(text), ...findSecretShapes(text)], MASK)
}

/* oxlint-disable no-control-regex -- these two match control characters */
// CSI, OSC (ended by BEL or ST) and the other escape sequences of ECMA-48; then what is left of control characters.
const ESCAPE_SEQUENCE =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[PX^_][^\u001b]*\u001b\\|[ -/]*[0-~])/g
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** A text without terminal escape sequences and control characters; tabs and line ends stay. */
export function stripControls(text: string): string {
  return text.replaceAll(ESCAPE_SEQUENCE, '').replaceAll(CONTROL, '')
}
