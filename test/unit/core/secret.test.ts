import assert from 'node:assert/strict'
import { test } from 'node:test'
import { format, inspect } from 'node:util'
import { createSecret, maskSecret } from '../../../src/core/secret.ts'

const KEY = '0123456789abcdef0123456789abcdef'

test('a secret cannot print itself', () => {
  const secret = createSecret(KEY)
  const prints = [
    String(secret),
    `${secret as unknown as string}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: [secret] }, { depth: 9, showHidden: true }),
    format('%s %o %j', secret, secret, secret),
    JSON.stringify({ ...secret }),
    inspect({ ...secret }),
    Object.values(secret).join(),
  ]
  for (const print of prints) assert.ok(!print.includes(KEY), print)
  assert.equal(secret.reveal(), KEY)
})

test('the masked form is the last four characters, and nothing of a short value', () => {
  assert.equal(maskSecret(KEY), '…cdef')
  assert.equal(maskSecret('short'), '…')
})
