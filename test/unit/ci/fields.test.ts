import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFields } from '../../../src/ci/fields.ts'

const read = (value: string | undefined): Record<string, unknown> => {
  const { origins: _, ...fields } = readFields({ V: value }, { branch: ['V'] })
  return fields
}

for (const value of [
  undefined,
  '',
  ' \t\r\n',
  '0',
  '0'.repeat(40),
  'false',
  ' False ',
  'undefined',
  'null',
  '<no value>',
  '${CI_BRANCH}',
  '$CI_BRANCH',
  '${{ github.ref_name }}',
  '$(Build.SourceBranch)',
  '$env:BRANCH',
  '%teamcity.build.branch%',
  '{{ .Branch }}',
]) {
  test(`${JSON.stringify(value)} is nothing that is shown`, () => assert.deepEqual(read(value), {}))
}

for (const value of [
  '10',
  'falsehood',
  'null-safety',
  'release/0',
  '{{a}} b',
  'a$b',
  '$5',
  '50%',
  '$a$b',
  '100% of %s',
]) {
  test(`${value} is a value`, () => assert.deepEqual(read(value), { branch: value }))
}

test('the first source that says something is taken, and named', () => {
  const env = { A: '0', B: ' b ', C: 'c' }
  assert.deepEqual(readFields(env, { committer: ['A', 'B', 'C'], job: ['A'] }), {
    committer: 'b',
    origins: { committer: 'B' },
  })
  const made = { value: 'x/y', origin: 'X, Y' }
  assert.deepEqual(readFields(env, { repository: ['A', made] }), {
    repository: 'x/y',
    origins: { repository: 'X, Y' },
  })
})

const URLS: readonly (readonly [string, string | undefined])[] = [
  ['https://ci.example.com/1', 'https://ci.example.com/1'],
  ['http://ci:8080/job/a%20b/1/', 'http://ci:8080/job/a%20b/1/'],
  ['https://bot:secret@ci.example.com/1', 'https://ci.example.com/1'],
  ['https://ci.example.com/undefined/1', undefined],
  ['https://ci.example.com/job/null', undefined],
  ['ftp://ci.example.com', undefined],
  ['javascript:alert(1)', undefined],
  ['https://', undefined],
  ['12', undefined],
]
for (const [value, expected] of URLS) {
  test(`${value} as a link is ${expected ?? 'nothing'}`, () => {
    assert.equal(readFields({ V: value }, { buildUrl: ['V'] }).buildUrl, expected)
  })
}
