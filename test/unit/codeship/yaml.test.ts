import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseYaml, type Value } from '../../../tools/codeship/yaml.ts'

function plain(value: Value): unknown {
  if (value.kind === 'text') return value.text
  if (value.kind === 'list') return value.items.map(plain)
  return Object.fromEntries([...value.entries].map(([key, member]) => [key, plain(member)]))
}

const DOCUMENTS: [string, string, unknown][] = [
  [
    'scalars keep their letters',
    'a: 01\nb: 1.10\nc: true\nd: 0x1F\ne: ~\nf:',
    {
      a: '01',
      b: '1.10',
      c: 'true',
      d: '0x1F',
      e: '',
      f: '',
    },
  ],
  ['a file from Windows', '\uFEFFa: 1\r\nb: c d\r\n', { a: '1', b: 'c d' }],
  [
    'quotes and folds are resolved',
    "a: \"x\\ty\"\nb: 'it''s'\nc: >-\n  one\n  two",
    {
      a: 'x\ty',
      b: "it's",
      c: 'one two',
    },
  ],
  ['an alias stands for its anchor', 'a: &x [1, 2]\nb: *x', { a: ['1', '2'], b: ['1', '2'] }],
  [
    'a merge key gives what the map does not say itself',
    'base: &base {image: a, user: u}\nweb:\n  <<: *base\n  image: b',
    {
      base: { image: 'a', user: 'u' },
      web: { image: 'b', user: 'u' },
    },
  ],
  [
    'of several merged maps the first wins',
    'a: &a {k: 1}\nb: &b {k: 2, l: 3}\nc:\n  <<: [*a, *b]',
    {
      a: { k: '1' },
      b: { k: '2', l: '3' },
      c: { k: '1', l: '3' },
    },
  ],
  ['JSON is YAML', '[{"name": "a", "command": true}]', [{ name: 'a', command: 'true' }]],
  ['an empty file is blank', '', ''],
]
for (const [what, text, expected] of DOCUMENTS) {
  test(what, () => {
    assert.deepEqual(plain(parseYaml('f.yml', text).root), expected)
  })
}

test('of a key given twice the last counts, and a notice says so', () => {
  const { root, notices } = parseYaml('f.yml', 'steps:\n  - command: a\n    command: b\n')
  assert.deepEqual(plain(root), { steps: [{ command: 'b' }] })
  assert.deepEqual(notices, ['f.yml:3: command is given twice; the last one counts'])
})

const BROKEN: [string, string, RegExp][] = [
  ['an unquoted colon', '- name: a\n- command: echo The branch is: x', /^f\.yml:2: is not YAML/],
  ['an open quote', 'a: 1\nb: "SECRET', /^f\.yml:2: is not YAML/],
  ['an unquoted template', 'a: 1\nimage_tag: {{.Branch}}', /^f\.yml:2: /],
  ['a tab for indentation', 'a:\n\tb: 1', /^f\.yml:2: is not YAML/],
  ['an unknown alias', 'a: 1\nb: *nowhere', /^f\.yml:2: is not YAML/],
  ['a merge of a word', 'a:\n  <<: b', /^f\.yml:2: << must refer to a map/],
]
for (const [what, text, message] of BROKEN) {
  test(`${what} is refused with file and line, and without the text`, () => {
    assert.throws(
      () => parseYaml('f.yml', text),
      (error: Error) => {
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /SECRET/)
        return true
      },
    )
  })
}
