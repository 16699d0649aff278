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

test('metaphors and prepositions that English does not use are found', () => {
  assert.deepEqual(find('What came of it?\nA clock that is off is warned of.\nIt is not kept any more.'), [
    '1: came of',
    '2: warned of',
    '3: any more',
  ])
  assert.deepEqual(
    find('A name, also if it is long. Two more are no dates. It is no longer any more than that.'),
    ['1: , also if', '1: are no dates'],
  )
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
