import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { tokenize } from '../../../src/cli/tokenize.ts'

const TYPES = { summary: 'string', detail: 'string', json: 'boolean', help: 'boolean' } as const
const SHORT = new Map([['h', 'help']])
const NAMES = {
  takesValue: (name: string) =>
    Object.hasOwn(TYPES, name) ? TYPES[name as keyof typeof TYPES] === 'string' : undefined,
  short: SHORT,
}

/** What Node's own parser makes of the same words. */
function tokenizeByNode(args: string[]): ReturnType<typeof tokenize> {
  const { summary, detail, json, help } = TYPES
  const { tokens, positionals } = parseArgs({
    args,
    options: {
      summary: { type: summary },
      detail: { type: detail },
      json: { type: json },
      help: { type: help, short: 'h' },
    },
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const options = tokens.flatMap((token) =>
    token.kind === 'option'
      ? [
          {
            name: token.name,
            rawName: token.rawName,
            value: token.value,
            isInline: token.inlineValue === true,
          },
        ]
      : [],
  )
  return { options, positionals }
}

const WORDS = ['--summary', '--detail', '--json', '--help', '-h', '-hx', '-', '-=', '---']
const word = fc.oneof(
  fc.constantFrom(...WORDS, '--summary=', '--summary=a=b', '--json=1', '--other', '--other=1', '--__proto__'),
  fc.string({ maxLength: 5, unit: fc.constantFrom('-', '=', 'h', 'a', ' ') }),
)

/** Node takes the dash in `-a-` for `--`, and `--=a=` for an option without a name. */
const isOdd = (text: string): boolean => text === '--' || /^--=|^-[^-].*-/.test(text)

test('words are sorted as Node sorts them', () => {
  fc.assert(
    fc.property(fc.array(word.filter((text) => !isOdd(text))), (args) => {
      assert.deepEqual(tokenize(args, NAMES), tokenizeByNode(args))
    }),
    { numRuns: 2000 },
  )
})

test('an option takes the next word as its value, whatever it is', () => {
  const { options, positionals } = tokenize(['--summary', '--json', 'send'], NAMES)
  assert.deepEqual(positionals, ['send'])
  assert.deepEqual(options, [{ name: 'summary', rawName: '--summary', value: '--json', isInline: false }])
})
