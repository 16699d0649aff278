import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecret } from '../../../src/core/secret.ts'
import { createTokenCheck } from '../../../src/relay/authorize.ts'

const isAuthorized = createTokenCheck(createSecret('s3cret'))

for (const header of ['Bearer s3cret', 'bearer  s3cret', 'BEARER s3cret ']) {
  test(`"${header}" is let in`, () => assert.equal(isAuthorized(header), true))
}
for (const header of [
  undefined,
  '',
  'Bearer',
  'Bearer ',
  's3cret',
  'Bearer s3cre',
  'Bearer s3crets',
  'Bearer s3cret x',
]) {
  test(`${JSON.stringify(header)} is not`, () => assert.equal(isAuthorized(header), false))
}
