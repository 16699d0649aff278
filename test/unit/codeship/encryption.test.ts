import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decrypt, decryptText, encrypt, parseEncryptionKey } from '../../../tools/codeship/encryption.ts'

/** Made for the purpose; real files of Codeship were found to have the same form. */
const VECTOR = {
  key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  iv: 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
  plaintext: 'PAGERDUTY_ROUTING_KEY=not-a-real-key\n',
  file: '8PHy8/T19vf4+fr7/P3+/8JBishx0tWfAza0GxVmKlrrHecfX45Bt1nuxC6s45ZVU/IR+0c=',
}
const KEY = parseEncryptionKey('codeship.aes', VECTOR.key)

test('a file is encrypted as jet does it', () => {
  assert.equal(encrypt(Buffer.from(VECTOR.plaintext), KEY, Buffer.from(VECTOR.iv, 'hex')), VECTOR.file)
})

test('a file of jet is decrypted, line ends or none', () => {
  for (const file of [VECTOR.file, `${VECTOR.file}\r\n`, VECTOR.file.replace('//', '//\n')])
    assert.equal(decryptText('env.encrypted', file, KEY), VECTOR.plaintext)
})

test('what is encrypted comes back, whatever it is, and nothing is padded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const file = encrypt(bytes, KEY)
      assert.equal(Buffer.from(file, 'base64').length, bytes.length + 16)
      assert.deepEqual(new Uint8Array(decrypt('f', file, KEY)), bytes)
    }),
  )
})

test('the same text never gives the same file', () => {
  const files = Array.from({ length: 10 }, () => encrypt(Buffer.from(VECTOR.plaintext), KEY))
  assert.equal(new Set(files).size, files.length)
})

test('a key is taken with white space around it, and anything but 32 bytes of base64 is refused', () => {
  assert.deepEqual(parseEncryptionKey('k', ` ${VECTOR.key}\r\n`), KEY)
  for (const text of ['', 'AAEC', VECTOR.key.slice(4), `${VECTOR.key}AAAA`, 'x'.repeat(44), '-'.repeat(44)])
    assert.throws(() => parseEncryptionKey('codeship.aes', text), {
      kind: 'config',
      message: /^codeship\.aes: is not an AES key/,
    })
})

const REFUSED: [string, string, RegExp][] = [
  ['the second version, which only jet knows', `codeship:v2\n${VECTOR.file}\n`, /^f: is in version 2/],
  ['plain text', VECTOR.plaintext, /^f: is not a file that/],
  ['a file that is too short', 'AAEC', /^f: is not a file that/],
  ['an empty file', '', /^f: is not a file that/],
]
for (const [what, text, message] of REFUSED) {
  test(`${what} is refused`, () => {
    assert.throws(() => decrypt('f', text, KEY), { kind: 'config', message })
  })
}

test('another key is noticed if text is expected', () => {
  const other = parseEncryptionKey('k', Buffer.alloc(32, 7).toString('base64'))
  assert.throws(() => decryptText('env.encrypted', VECTOR.file, other), {
    message: 'env.encrypted: does not decrypt to text; it was encrypted with another key',
  })
})
