import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import { createSecret } from '../../../src/core/secret.ts'
import { createTokenCheck } from '../../../src/relay/access.ts'

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

test('whatever is presented, one comparison in constant time of equally many bytes decides', (t) => {
  const compare = t.mock.method(crypto, 'timingSafeEqual')
  syncBuiltinESMExports() // so that named imports see it
  t.after(() => {
    compare.mock.restore()
    syncBuiltinESMExports()
  })
  for (const header of [undefined, 'Bearer s3cret', 'Bearer s', `Bearer ${'x'.repeat(5000)}`])
    isAuthorized(header)
  const lengths = compare.mock.calls.map(({ arguments: [a, b] }) => [a.byteLength, b.byteLength])
  assert.deepEqual(lengths, [
    [32, 32],
    [32, 32],
    [32, 32],
    [32, 32],
  ])
})
