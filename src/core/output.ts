import { cutJsonBytes } from './truncate.ts'
import { maskOutput, stripControls } from './mask-output.ts'

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
