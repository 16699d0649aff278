import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../src/core/failure.ts'
import { replaceReferences } from '../../../src/core/event-document.ts'

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

test('a reference that is never closed stays as it is, and of many missing ones some are named', () => {
  assert.deepEqual(replaceReferences('${CI_BRANCH} ${CI_BRANCH ${', lookUp), 'master ${CI_BRANCH ${')
  const many = Array.from({ length: 1000 }, (_, index) => `\${NOPE_${index}${'x'.repeat(1000)}}`).join('')
  assert.throws(
    () => replaceReferences(many, lookUp),
    (error) =>
      error instanceof Failure && error.message.length < 3000 && / and 980 more /.test(error.message),
  )
})

test('references to long values cannot make a document of any size', () => {
  assert.throws(
    () => replaceReferences('${LONG}'.repeat(1000), () => 'x'.repeat(100_000)),
    (error) => error instanceof Failure && error.kind === 'usage',
  )
})
