import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { split } from 'shlex'
import { parseAllDocuments } from 'yaml'
import { parseCommandLine } from '../../src/commands/args.ts'

const DOCS = new URL('../../docs/', import.meta.url)
const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md'))
const read = (name: string): string => readFileSync(new URL(name, DOCS), 'utf8')
const recipes = [...read('recipes.md').matchAll(/^```(\w+) ([\w-]+)\n([\s\S]*?)^```$/gm)]

for (const [, language, name, text = ''] of recipes) {
  if (language === 'yaml')
    test(`the recipe for ${name} is YAML`, () => {
      const documents = parseAllDocuments(text, { uniqueKeys: true })
      assert.deepEqual(
        [...documents].flatMap(({ errors }) => errors),
        [],
      )
    })
  // `serve` is an argument of the container there.
  if (name === 'kubernetes' || name === 'github-actions') continue
  test(`the program understands the command lines of the recipe for ${name}`, () => {
    const lines = [...text.matchAll(/(?:npx --yes pagerduty-alert|pagerduty-alert:0\.1\.0) ([^\n']*)/g)]
    assert.ok(lines.length > 0)
    for (const [, line = ''] of lines) assert.doesNotThrow(() => parseCommandLine(split(line)))
  })
}

test('there is a recipe for each of the common places', () => {
  assert.equal(recipes.length, 12)
})

for (const page of pages) {
  test(`${page}: every file that it links to is there`, () => {
    for (const [, target = ''] of read(page).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g))
      assert.doesNotThrow(() => readFileSync(new URL(target, DOCS)), target)
  })
}
