import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskSecrets, oneLine } from '../../../src/core/mask-secrets.ts'
import { createSecret } from '../../../src/core/secret.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const HARD = 'p&"<ss/+wörd\\1234'
const secrets = [createSecret(KEY), createSecret(HARD)]

const FORMS: [string, string][] = [
  ['as it is', HARD],
  ['percent-encoded', encodeURIComponent(HARD)],
  ['inside JSON', JSON.stringify({ a: HARD })],
  ['in Base64', Buffer.from(HARD).toString('base64')],
  ['in Base64 for URLs', Buffer.from(HARD).toString('base64url')],
  ['in Base64 behind other bytes', Buffer.from(`ab${HARD}`).toString('base64')],
  ['in hexadecimal', Buffer.from(HARD).toString('hex')],
  ['in upper-case hexadecimal', Buffer.from(HARD).toString('hex').toUpperCase()],
  ['inside JSON inside JSON', JSON.stringify(JSON.stringify(HARD))],
  ['inside HTML', HARD.replace('&', '&amp;').replace('<', '&lt;').replace('"', '&quot;')],
]
for (const [name, text] of FORMS) {
  test(`a secret is masked ${name}`, () => {
    const masked = maskSecrets(`before ${text} after`, secrets)
    assert.ok(!masked.includes(text) && !masked.includes('wörd') && masked.includes('…1234'), masked)
    assert.match(masked, /^before .* after$/)
  })
}

test('a text that breaks off in the middle of a secret does not show its beginning', () => {
  for (let length = 4; length < KEY.length; length++) {
    assert.equal(maskSecrets(`{"routing_key":"${KEY.slice(0, length)}`, secrets), '{"routing_key":"…')
  }
})

test('a secret that contains another is masked whole', () => {
  const longer = createSecret(`${KEY}-and-more`)
  assert.equal(maskSecrets(`${KEY}-and-more`, [...secrets, longer]), '…more')
})

test('other text stays as it is', () => {
  assert.equal(maskSecrets('400: Invalid routing key', secrets), '400: Invalid routing key')
  assert.equal(oneLine(' a\n\tb\u0000c '), 'a b c')
})
