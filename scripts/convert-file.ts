import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { EXIT_CODE, Failure } from '../src/core/failure.ts'
import { parseEncryptionKey, type EncryptionKey } from '../tools/codeship/encryption.ts'

/** Converts the bytes of one file to those of another. `file` is the name of the input, for messages. */
type Convert = (bytes: Buffer, key: EncryptionKey, file: string) => string | Buffer

/**
 * Runs `npm run NAME -- IN OUT [--key-path FILE]`, which converts one file to another with an AES key, `codeship.aes` by
 * default. Paths are relative to where npm was started, so `npm --prefix` works from another project. Only its owner can
 * read the output.
 */
export function convertFile(name: 'encrypt' | 'decrypt', convert: Convert): void {
  try {
    const args = readArguments(name)
    if (args === 'help') {
      process.stdout.write(`${usage(name)}\n`)
      return
    }
    const { input, output, keyPath } = args
    const key = parseEncryptionKey(keyPath, read(keyPath, KEY_ADVICE).toString('utf8'))
    const result = convert(read(input), key, input)
    attempt(output, 'written', () => writeFileSync(inStartFolder(output), result, { mode: 0o600 }))
    process.stderr.write(`${output} written\n`)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = EXIT_CODE[error.kind]
  }
}

function usage(name: string): string {
  return `usage: npm run ${name} -- IN OUT [--key-path FILE]`
}

function readArguments(name: string): { input: string; output: string; keyPath: string } | 'help' {
  const { values, positionals } = parseArgs({
    options: {
      'key-path': { type: 'string', default: 'codeship.aes' },
      help: { type: 'boolean', short: 'h' },
    },
    allowPositionals: true,
    strict: false,
  })
  if (values.help === true) return 'help'
  const [input, output, ...more] = positionals
  const keyPath = values['key-path']
  const isUnknown = Object.keys(values).length > 1 || typeof keyPath !== 'string'
  if (input === undefined || output === undefined || more.length > 0 || isUnknown)
    throw new Failure('usage', usage(name))
  return { input, output, keyPath }
}

/** Somebody who encrypts for the first time has not saved the key yet. */
const KEY_ADVICE =
  '; save the AES key of Codeship’s Project Settings > General there, or name it with --key-path'

function read(path: string, advice = ''): Buffer {
  return attempt(path, 'read', () => readFileSync(inStartFolder(path)), advice)
}

function inStartFolder(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', path)
}

function attempt<T>(path: string, done: 'read' | 'written', action: () => T, advice = ''): T {
  try {
    return action()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    const reason = code === 'ENOENT' ? 'there is no such file or folder' : code
    throw new Failure('config', `${path} cannot be ${done}: ${reason}${advice}`, { cause })
  }
}
