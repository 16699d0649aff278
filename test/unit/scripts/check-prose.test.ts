import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPhrases } from '../../../scripts/check-prose.ts'

const find = (text: string, isMarkdown = false): string[] =>
  findPhrases(text, { isMarkdown }).map(({ line, phrase }) => `${line}: ${phrase}`)

test('phrases are found with their line, also across lines, bullets and comments', () => {
  assert.deepEqual(find('It starts anew.\n\nWait so\nlong, then stop.', true), ['1: anew', '3: so long'])
  assert.deepEqual(find('/**\n * This is no\n * file.\n */'), ['2: is no file'])
  assert.deepEqual(find('# It is told. Where the disk is full, it waits.'), ['1: Where the disk is full,'])
})

test('good English passes', () => {
  assert.deepEqual(
    find(
      'There is no file. It is no longer there. The directory where it is kept.\nSo, long lines wrap. In the meantime, one of which.',
    ),
    [],
  )
})

test('code and generated parts of Markdown are not prose', () => {
  const page =
    'Say `so long`.\n\n```sh\necho anew\n```\n\n<!-- generated: x -->anew<!-- . --> is fine; anew is not.'
  assert.deepEqual(find(page, true), ['7: anew'])
})
