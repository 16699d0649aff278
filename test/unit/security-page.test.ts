import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const DOCS = new URL('../../docs/', import.meta.url)
const PAGE = readFileSync(new URL('security.md', DOCS), 'utf8')

/** A test as the page names it: the link to its file, and a part of its name. */
const REFERENCE = /\[[^\]]+\]\((\.\.\/test\/[^)]+)\): “([^”]+)”/g

/** The rows of every table whose last column is "tested by". */
const threats = PAGE.split('\n## ')
  .filter((section) => section.includes('| tested by |'))
  .flatMap((section) => section.split('\n').filter((line) => /^\| (?!threat \|)/.test(line)))

test('docs/security.md has the threats of the relay, the image, the action and the release', () => {
  for (const title of ['The relay', 'The image', 'The GitHub Action', 'The release'])
    assert.match(PAGE, new RegExp(`^## ${title}\\n[^#]*^\\| threat \\|`, 'm'))
  assert.ok(threats.length >= 25)
})

test('every threat names a test that is there', () => {
  for (const threat of threats) {
    const references = [...threat.matchAll(REFERENCE)]
    assert.ok(references.length > 0, threat)
    for (const [, file = '', name = ''] of references) {
      const url = new URL(file, DOCS)
      assert.ok(existsSync(url), file)
      assert.ok(readFileSync(url, 'utf8').includes(name), `${file} has no “${name}”`)
    }
  }
})
