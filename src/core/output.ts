import { cutJsonBytes } from './cut.ts'
import { maskOutput, stripControls } from './mask-output.ts'

/** Most that the output detail takes of an event, in bytes of its JSON: enough for forty long lines. */
const MAX_OUTPUT_BYTES = 64 * 1024

/**
 * The last lines of a command's output as an event shows them: no escape sequences, nothing secret, valid UTF-8.
 * @param text    whole lines, more of them than are shown, so that a secret over several lines is recognised
 * @param secrets values to mask
 * @returns undefined where nothing is left to show
 */
export function formatOutput(text: string, maxLines: number, secrets: readonly string[]): string | undefined {
  const lines = maskOutput(stripControls(text.toWellFormed()), secrets).trimEnd().split('\n')
  const shown = lines.slice(-maxLines).join('\n')
  return maxLines === 0 || shown.trim() === '' ? undefined : cutJsonBytes(shown, MAX_OUTPUT_BYTES, 'tail')
}
