import { Failure } from '../../src/core/failure.ts'

/**
 * Reads lines of `KEY=value`. Blank lines and those that begin with `#` are skipped; a value is taken as it is,
 * quotes included, as Docker does.
 * @param file its name, for messages
 * @throws Failure of kind `config` with file and line. It never repeats the line: it may be a secret
 */
export function parseEnvFile(file: string, text: string): Record<string, string> {
  const pairs: [string, string][] = []
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trimStart()
    if (line === '' || line.startsWith('#')) continue
    const [, name, value] = /^([^\s=]+)=(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined)
      throw new Failure('config', `${file}:${index + 1}: is not KEY=value`)
    pairs.push([name, value])
  }
  return Object.fromEntries(pairs)
}
