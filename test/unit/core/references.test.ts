import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../src/core/failure.ts'
import { replaceReferences } from '../../../src/core/references.ts'

const lookUp = (name: string): string | undefined =>
  ({ CI_BRANCH: 'master', EMPTY: '', LOOP: '${CI_BRANCH}' })[name]

test('references are replaced in every string value, at any depth, and nowhere else', () => {
  assert.deepEqual(
    replaceReferences(
      { '${CI_BRANCH}': 'on ${CI_BRANCH}${CI_BRANCH}', deep: [{ a: '${EMPTY}' }], n: 1, b: false },
      lookUp,
    ),
    { '${CI_BRANCH}': 'on mastermaster', deep: [{ a: '' }], n: 1, b: false },
  )
})

test('$${ is a literal, a lone $ is a $, and values are not read again', () => {
  assert.deepEqual(replaceReferences(['$${CI_BRANCH}', '$CI_BRANCH', '${LOOP}', '$$'], lookUp), [
    '${CI_BRANCH}',
    '$CI_BRANCH',
    '${CI_BRANCH}',
    '$$',
  ])
})

test('all variables that are not set are named at once', () => {
  assert.throws(
    () => replaceReferences({ a: '${NOPE} ${CI_BRANCH}', b: ['${ALSO_NOT}', '${NOPE}'] }, lookUp),
    (error) =>
      error instanceof Failure && error.kind === 'usage' && /\$\{NOPE\}, \$\{ALSO_NOT\} /.test(error.message),
  )
})
