import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { split } from 'shlex'
import { parseCommandLine } from '../../src/cli/args.ts'
import { SETTING_LIST } from '../../src/config/settings.ts'

const ROOT = new URL('../../', import.meta.url)
const PAGES = [
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...readdirSync(new URL('docs/', ROOT))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
/** Options of other programs in inline code: theirs in migrating.md, Docker's, npm's. */
const FOREIGN_OPTIONS = new Set([
  '--init',
  '--network',
  '--dir',
  '--plan',
  '--smoke',
  '--client_url',
  '--dedup_key',
  '--token',
])
const KNOWN_VARIABLES = new Set(
  SETTING_LIST.flatMap(({ variable, secret }) =>
    variable === undefined ? [] : secret === true ? [variable, `${variable}_FILE`] : [variable],
  ),
)
const KNOWN_OPTIONS = new Set([
  '--help',
  '--version',
  ...SETTING_LIST.flatMap(({ option }) => (option === undefined ? [] : [`--${option}`])),
])

/** Blocks of code, fenced or indented, as they are pasted. */
const BLOCK = /^```[^\n]*\n[\s\S]*?^```$|(?:^ {4}.+\n)+/gm
/** A command line of the program up to what ends it in a shell or in YAML. */
const COMMAND_LINE = /(?<![\w.=-]|\.\.\/)pagerduty-alert ((?:'[^'\n]*'|"[^"\n]*"|\\\n|[^\n;&|)'"`#])+)/g

for (const page of PAGES) {
  const text = readFileSync(new URL(page, ROOT), 'utf8')
  const commandLines = [...text.matchAll(BLOCK)].flatMap(([block]) =>
    [...block.matchAll(COMMAND_LINE)].map(([, line = '']) => line.replaceAll('[options]', '').trim()),
  )
  if (commandLines.length > 0)
    test(`${page}: the program understands the command lines that can be pasted`, () => {
      for (const line of commandLines) assert.doesNotThrow(() => parseCommandLine(split(line)), line)
    })
  test(`${page}: every variable and option that it names exists`, () => {
    for (const [name] of text.matchAll(/\bPAGERDUTY_[A-Z_]+[A-Z]\b/g))
      assert.ok(KNOWN_VARIABLES.has(name), name)
    for (const [, name = ''] of text.matchAll(/`(--[a-z][\w-]+)/g))
      assert.ok(KNOWN_OPTIONS.has(name) || FOREIGN_OPTIONS.has(name), name)
  })
}
